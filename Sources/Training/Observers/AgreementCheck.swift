import Reduction
import Supervision

/// Compares the ranks' state, to the bit, every `agreement.every_steps` steps.
package final class AgreementCheck: RunObserver {
  private let everySteps: Int?

  package init(everySteps: Int?) { self.everySteps = everySteps }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    if isDue(everySteps, trainer.progress.step) { try trainer.agree() }
  }
}

/// Whether something that comes every `interval` comes at `count`; nil is never.
func isDue(_ interval: Int?, _ count: Int) -> Bool { interval.map { count % $0 == 0 } ?? false }

extension Trainer {
  /// Throws, on every rank, where they differ.
  func agree() throws {
    clock.enter(.exchange)
    try StateAgreement(model: model, average: average, optimizer: optimizer, communicator: communicator)
      .check(after: progress.step)
    clock.enter(.records)
  }
}
