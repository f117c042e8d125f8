import Foundation
import Glibc

/// Runs the built `icp`, alone or under mpirun, and other programs, as a user would: from outside, with a time limit.
package enum Program {
  package struct Outcome: Sendable {
    /// The exit status; 128 + the signal's number where a signal ended the program, as a shell says it.
    package let status: Int32
    package let standardOutput: String
    package let standardError: String
    package let seconds: Double
    package let timedOut: Bool
  }

  package struct CannotRun: Error, CustomStringConvertible {
    package let description: String
  }

  /// The program under test: `ICP_PROGRAM`, else what `launch/setup` builds.
  package static var icp: String {
    ProcessInfo.processInfo.environment["ICP_PROGRAM"] ?? built("icp")
  }

  /// A program of this package.
  package static func built(_ name: String) -> String { "\(PackageRoot.path)/.build/release/\(name)" }

  /// Runs `icp`, or another program, with `arguments`; under mpirun when `ranks` is given.
  package static func run(
    _ arguments: [String], program: String = icp, environment: [String: String] = [:], ranks: Int? = nil,
    timeLimit: Double = 120,
    workingDirectory: String? = nil
  ) throws -> Outcome {
    guard access(program, X_OK) == 0 else {
      throw CannotRun(description: "\(program) is missing: run launch/setup, or name the program in ICP_PROGRAM")
    }
    guard let ranks else {
      return try run(
        executable: program, arguments, environment: oneThread.merging(environment) { $1 }, timeLimit: timeLimit,
        workingDirectory: workingDirectory)
    }
    guard Ranks.areStarted else {
      throw CannotRun(description: "this test starts ranks, and does not say so: give it the trait .ranks")
    }
    let launch = ["-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", program] + arguments
    return try oneJobAtATime.withLock {
      try run(
        executable: "mpirun", launch,
        environment: oneThread.merging(anywhere) { $1 }.merging(environment) { $1 },
        timeLimit: timeLimit, workingDirectory: workingDirectory)
    }
  }

  /// Runs any program (found on PATH unless its name holds a slash). When this returns, neither it nor anything it
  /// started is alive: at the time limit everything is killed.
  package static func run(
    executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    timeLimit: Double = 120,
    workingDirectory: String? = nil
  ) throws -> Outcome {
    let files = try TemporaryDirectory()
    let family = ProcessFamily()
    let start = ContinuousClock.now
    let child = try family.spawn(
      executable, arguments, environment: environment, workingDirectory: workingDirectory,
      standardOutput: files.path("output"), standardError: files.path("error"))
    var raw: Int32 = 0
    var timedOut = false
    while waitpid(child, &raw, WNOHANG) == 0 {
      if seconds(since: start) > timeLimit {
        timedOut = true
        family.kill()
        kill(child, SIGKILL)
        waitpid(child, &raw, 0)
        break
      }
      usleep(5_000)
    }
    let elapsed = seconds(since: start)
    // mpirun returns up to 1.6 s before its ranks are gone, and they may still write.
    family.end(within: 3)
    let signal = raw & 0x7f
    return Outcome(
      status: signal == 0 ? (raw >> 8) & 0xff : 128 + signal,
      standardOutput: text(of: files.path("output")), standardError: text(of: files.path("error")),
      seconds: elapsed, timedOut: timedOut)
  }

  /// Two multi-rank jobs at once on two cores would measure each other.
  private static let oneJobAtATime = NSLock()

  private static let oneThread = ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"]

  /// What lets Open MPI start as root, in a container and with more ranks than cores.
  private static let anywhere = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_smsc": "^cma",
  ]

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
  }

  private static func text(of file: String) -> String {
    String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
  }
}
