import Files
import TestSupport
import Testing

@Suite struct ShellWordTests {
  @Test(arguments: [
    "runs/a-1.yaml", "my run", "it's", "$HOME", "`id`", "a;b", "x\ny", "tab\there", "ü ä", "back\\slash", "a'b\nc\\d",
    "*", "~", "!x", "a\u{1B}[2J", "\u{85}", "",
  ])
  func `bash reads a quoted word as what it was`(text: String) throws {
    let outcome = try Program.run(
      executable: "bash", ["-c", "printf %s \(ShellWord.quoted(text))"], environment: ["LC_ALL": "C.UTF-8"],
      timeLimit: 10)
    #expect(outcome.standardOutput == text)
    #expect(outcome.status == 0)
  }

  @Test func `what needs no quotes has none, and a path is never an option`() {
    #expect(ShellWord.quoted("runs/a-1_b.yaml") == "runs/a-1_b.yaml")
    #expect(ShellWord.path("-rf") == "./-rf")
    #expect(ShellWord.quoted("a\u{1B}[2J").contains("\u{1B}") == false)
  }
}
