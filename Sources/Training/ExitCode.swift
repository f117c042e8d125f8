import Datasets
import Formats
import MPI
import Networks
import Refinement
import Reporting

/// Which error ends the program with which exit code; the table is in docs/CONFIGURATION.md.
package enum ExitCode {
  package static let usage: Int32 = 64
  package static let internalError: Int32 = 70
  package static let temporary: Int32 = 75
  package static let ranksDisagree: Int32 = 76
  package static let notFinite: Int32 = 77
  package static let stopped: Int32 = 85

  /// Nil for errors that are not ours to explain.
  package static func of(_ error: any Error) -> Int32? {
    switch error {
    case is ConfigurationError, is LaunchError, is ArchitectureError, is LayerWeightsError, is UsageError: usage
    case is DataError, is FormatError, is CheckpointError, is WeightsError: 65
    case let error as MPIError: error.isOfDifferentLengths ? ranksDisagree : temporary
    case is OrderedFault: internalError
    case is SaveError, is RecordError: 74
    case is LockedError: temporary
    case is StopRequested: stopped
    case let error as SharedError: error.exitCode
    case let error as RunFailure: of(error.cause)
    default: nil
    }
  }
}

/// A command line or a launch that parses and still cannot be meant.
package struct UsageError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
