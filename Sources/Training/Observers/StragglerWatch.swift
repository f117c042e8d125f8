import Datasets
import Foundation
import Loading
import Reporting
import Runtime
import Supervision

/// Warns where this rank is slower than the others, by the computing time for a sample that ranks tell each other.
package final class StragglerWatch: RunObserver {
  private var straggler = Straggler()
  /// Nanoseconds that this rank computed for a sample of the last step.
  private var own: Int64 = 0

  package init() {}

  package func signal(_ batch: Batch, _ clock: PhaseClock) -> Int64 {
    own = Int64(clock.computingSeconds / Double(max(batch.ownCount, 1)) * 1e9)
    return own
  }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) {
    let communicator = trainer.communicator
    guard
      let ratio = straggler.record(
        own: Double(own) * 1e-9, all: Double(signals) * 1e-9, ranks: communicator.size)
    else { return }
    Fatal.write(
      Fatal.line(
        rank: communicator.firstRank + communicator.rank, host: Platform.host, step: trainer.clock.step,
        phase: "\(trainer.clock.phase)",
        message: "warning: its steps take \(decimal(ratio, places: 1)) times as long as the other ranks'; "
          + "look at that host, and what else it runs"))
  }
}
