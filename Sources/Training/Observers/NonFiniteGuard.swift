import Configuration
import MPI
import Runtime

/// A step whose numbers are not finite, under `training.non_finite: rollback`; the same on every rank.
struct Divergence: Error {
  /// The one that failed.
  let step: Int
  let cause: String
}

/// `training.non_finite`: what happens after a step whose loss or gradient was not finite. All ranks decide alike.
package final class NonFiniteGuard: RunObserver {
  private let policy: NonFinitePolicy
  private let journal: RunJournal?

  package init(_ policy: NonFinitePolicy, _ journal: RunJournal?) {
    self.policy = policy
    self.journal = journal
  }

  package func stepEnded(_ finished: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    guard !finished.isTaken else { return }
    let step = trainer.progress.step
    let cause = try cause(finished, trainer.communicator)
    func stop(_ why: String, _ advice: String) -> SharedError {
      SharedError(exitCode: ExitCode.notFinite, description: "step \(step): \(cause)\(why); \(advice)")
    }
    switch policy {
    case .stop:
      throw stop(
        " (\(counted(finished.refused, "value")) in all)", "lower optimizer.learning_rate, or set training.non_finite")
    case .skip:
      guard trainer.progress.refusedInRow < 3 else {
        throw stop(", in the third step in a row", "lower optimizer.learning_rate")
      }
      journal?.warn("step \(step) skipped: \(cause)")
    case .rollback:
      throw Divergence(step: step, cause: cause)
    }
  }

  /// The text of the lowest rank that refused a value, on every rank.
  private func cause(_ step: FinishedStep, _ communicator: Communicator) throws -> String {
    let mine = step.firstRefused.map {
      "\($0) on rank \(communicator.firstRank + communicator.rank) is not finite or beyond 2^18"
    }
    let first = try communicator.minimum([Int64(mine == nil ? communicator.size : communicator.rank)])[0]
    return String(decoding: try communicator.broadcast(Array((mine ?? "").utf8), from: Int(first)), as: UTF8.self)
  }
}
