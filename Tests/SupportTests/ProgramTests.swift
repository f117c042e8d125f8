import Foundation
import TestSupport
import Testing

@Suite struct `Running a program in a test` {
  @Test func `ends at the time limit with everything it started, in whatever process group`() throws {
    let folder = try TemporaryDirectory()
    let note = folder.path("note")
    let script = #"setsid bash -c 'sleep 2; echo alive > "$1"' note "$1" & sleep 30"#
    let outcome = try Program.run(executable: "bash", ["-c", script, "bash", note], timeLimit: 0.5)
    #expect(outcome.timedOut)
    #expect(outcome.status == 128 + 9)
    #expect(outcome.seconds < 2)
    Thread.sleep(forTimeInterval: 2.5)
    #expect(!FileManager.default.fileExists(atPath: note))
  }

  @Test func `gives the status, both outputs, the folder and the environment it was given`() throws {
    let folder = try TemporaryDirectory()
    let outcome = try Program.run(
      executable: "bash", ["-c", "echo $WORD; pwd >&2; wc -c; exit 7"], environment: ["WORD": "hello"],
      workingDirectory: folder.path)
    #expect(outcome.status == 7)
    #expect(outcome.standardOutput == "hello\n0\n")
    #expect(outcome.standardError == folder.path + "\n")
    #expect(!outcome.timedOut)
  }

  @Test func `takes more output than a pipe holds`() throws {
    let outcome = try Program.run(executable: "bash", ["-c", "yes | head -c 1000000"])
    #expect(outcome.standardOutput.utf8.count == 1_000_000)
  }

  @Test func `says that a program cannot be started`() throws {
    #expect(throws: Program.CannotRun.self) { try Program.run(executable: "no-such-program") }
  }
}
