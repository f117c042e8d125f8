import Datasets
import Loading
import Supervision

/// Follows a run beside its loop. Every rank has the same observers in the same order, since some of them talk to those
/// of other ranks.
package protocol RunObserver: AnyObject {
  /// What it tells the others with the sums of a step; 0 by default.
  func signal(_ batch: Batch, _ clock: PhaseClock) throws -> Int64
  /// Before the first step of a start, or after a rollback: the state is as it was saved.
  func runBegins(of trainer: Trainer) throws
  /// After each step, taken or refused. `signals`: the sum of what all ranks told.
  func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws
  /// After the last step of an epoch, or of the run.
  func epochEnded(_ epoch: FinishedEpoch, of trainer: Trainer) throws
}

extension RunObserver {
  package func signal(_ batch: Batch, _ clock: PhaseClock) throws -> Int64 { 0 }
  package func runBegins(of trainer: Trainer) throws {}
  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {}
  package func epochEnded(_ epoch: FinishedEpoch, of trainer: Trainer) throws {}
}
