import ArgumentParser
import Datasets
import Formats
import Foundation
import MPI
import Networks
import Refinement
import Reporting
import Training

/// The table of exit codes (docs/CONFIGURATION.md): which error ends the program with which.
enum ExitStatus {
  /// The code and the one line for the user; nil for errors that are ArgumentParser's own.
  static func describe(_ error: any Error) -> (code: Int32, message: String)? {
    switch error {
    case is ConfigurationError, is LaunchError, is ArchitectureError, is LayerWeightsError, is UsageError:
      (64, "\(error)")
    case is DataError, is FormatError, is CheckpointError, is WeightsError, is ResumeError:
      (65, "\(error)")
    case is SaveError, is MetricsLogError: (74, "\(error)")
    case is RunDirectoryLocked: (75, "\(error)")
    case is RanksDisagree: (76, "\(error)")
    case is NonFiniteError: (77, "\(error)")
    case is MPIError: (70, "\(error)")
    default: nil
    }
  }

  /// Ends a program that runs no ranks, or whose ranks all know of the error.
  static func end(with error: any Error) -> Never {
    guard let (code, message) = describe(error) else { ICP.exit(withError: error) }
    Fatal.write("icp: \(message)")
    exit(code)
  }

  /// Ends every rank because of this rank's error.
  static func endAllRanks(with error: any Error, rank: Int, ranks: Int, step: Int?) -> Never {
    let (code, message) = describe(error) ?? (70, "\(error)")
    if ranks == 1 {
      Fatal.write("icp: \(message)")
    } else {
      Fatal.write(Fatal.line(rank: rank, host: Host.name, step: step, message: message))
    }
    World.abort(code)
  }
}

/// A command line that parses and still cannot be meant.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
