import ArgumentParser
import Doctor
import Files
import Foundation
import MPI
import Reporting
import Runtime

/// How the program ends with an error: one line on standard error, and a code of the table.
enum ExitStatus {
  /// Ends this process; parse errors, help and version are ArgumentParser's (64 and 0).
  static func end(with error: any Error) -> Never {
    if let silent = error as? AlreadyTold { exit(silent.code) }
    guard let code = ExitCode.of(error) else { endParsing(with: error) }
    if (error as? LaunchError)?.isToldByAnother != true { Fatal.write("icp: \(error)") }
    exit(code)
  }

  /// Help and version are what was asked for, on standard output; the rest is ArgumentParser's to say.
  private static func endParsing(with error: any Error) -> Never {
    guard ICP.exitCode(for: error) == .success else { ICP.exit(withError: error) }
    do {
      try StandardOutput.print(ICP.fullMessage(for: error))
      exit(0)
    } catch { end(with: error) }
  }
}

extension Fatal {
  /// Of an error that this rank alone has met: of a run, with its place there.
  static func line(of error: any Error, rank: Int) -> String {
    let failure = error as? RunFailure
    return line(
      rank: rank, host: Platform.host, step: failure.flatMap { $0.step == 0 ? nil : $0.step },
      phase: "\(failure?.phase ?? .start)", message: "\(error)")
  }
}

/// An error whose line has been written.
struct AlreadyTold: Error {
  let code: Int32
}

/// The scope in which ranks exist, and what happens to an error inside.
enum Ranks {
  /// Runs `body` on every rank. An error that all ranks share is told by rank 0, and all leave in order; one that a
  /// single rank meets ends all of them, since the others may be waiting for it.
  static func run(_ body: (Communicator) throws -> Void) throws {
    // MPI_Init waits for ever for a rank that does not get that far. A large job on a busy file system needs a while.
    let timeout = StartupTimeout(seconds: 300)
    var isFirst = false
    let told = try World.run { communicator -> AlreadyTold? in
      timeout.end()
      isFirst = communicator.rank == 0
      do {
        try Preflight.meet(communicator)
        try Preflight.checkHosts(communicator)
        try body(communicator)
        return nil
      } catch let error as SharedError {
        if communicator.rank == 0 { Fatal.write("icp: \(error)") }
        return AlreadyTold(code: error.exitCode)
      } catch {
        let message =
          communicator.size == 1
          ? "icp: \(error)"
          : Fatal.line(of: error, rank: communicator.rank)
        Fatal.write(message)
        World.abort(ExitCode.of(error) ?? ExitCode.internalError)
      }
    }
    if let told { throw told }
    if isFirst { EndMark.write() }
  }
}

extension StandardOutput {
  /// What all ranks have found out together: rank 0 prints it, and all end where it cannot.
  static func print(_ text: @autoclosure () -> String, from communicator: Communicator) throws {
    try communicator.onFirstRank { try print(text()) }
  }
}
