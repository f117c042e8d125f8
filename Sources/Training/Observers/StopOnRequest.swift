import Datasets
import Loading
import Supervision

/// All ranks stop after the same step, once one of them was asked to.
package final class StopOnRequest: RunObserver {
  private let stop: StopSignal
  private let saver: CheckpointSaver

  package init(_ stop: StopSignal, _ saver: CheckpointSaver) {
    self.stop = stop
    self.saver = saver
  }

  package func signal(_ batch: Batch, _ clock: PhaseClock) throws -> Int64 { try stop.isRaised() ? 1 : 0 }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    if signals > 0 { try saver.saveAndLeave(trainer) }
  }
}
