import Foundation
import MPI
import Reporting

/// The scope in which ranks exist: from MPI_Init to MPI_Finalize, and what happens to an error inside.
enum Ranks {
  /// Runs `body` on every rank. An error that one rank meets ends all of them with its exit code, after one line that says
  /// where and why; one that all ranks meet alike is told by rank 0.
  static func run(_ body: (Communicator) throws -> Void) throws {
    try World.run { communicator in
      do {
        try body(communicator)
      } catch let error as any SharedError {
        // Nobody waits for anybody: leave in order, with the code.
        if communicator.rank == 0 { Fatal.write("icp: \(error)") }
        sharedCode = ExitStatus.describe(error)?.code ?? 70
      } catch {
        ExitStatus.endAllRanks(with: error, rank: communicator.rank, ranks: communicator.size, step: nil)
      }
    }
  }
}
