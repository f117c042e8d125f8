import Datasets
import Loading
import Supervision

/// All ranks stop after the same step, once one of them was asked to.
final class StopOnRequest: RunObserver {
  private let stop: StopSignal
  private let saver: CheckpointSaver

  init(_ stop: StopSignal, _ saver: CheckpointSaver) {
    self.stop = stop
    self.saver = saver
  }

  func signal(_ batch: Batch, _ clock: PhaseClock) throws -> Int64 { try stop.isRaised() ? 1 : 0 }

  func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    if signals > 0 { try saver.saveAndLeave(trainer) }
  }
}
