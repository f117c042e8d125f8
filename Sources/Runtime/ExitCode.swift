/// Which error ends the program with which exit code; the table is in docs/CONFIGURATION.md.
package enum ExitCode {
  package static let usage: Int32 = 64
  package static let badInput: Int32 = 65
  package static let internalError: Int32 = 70
  package static let notWritten: Int32 = 74
  package static let temporary: Int32 = 75
  package static let ranksDisagree: Int32 = 76
  package static let notFinite: Int32 = 77
  package static let stopped: Int32 = 85

  /// Nil for errors that are not ours to explain.
  package static func of(_ error: any Error) -> Int32? {
    switch error {
    case let error as RunFailure: of(error.cause)
    case let error as any ExitCoded: error.exitCode
    default: nil
    }
  }
}
