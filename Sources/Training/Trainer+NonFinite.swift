import Foundation
import MPI
import Runtime

/// A step whose numbers are not finite, under `training.non_finite: rollback`; the same on every rank.
struct Divergence: Error {
  /// The one that failed.
  let step: Int
  let cause: String
}

/// `training.non_finite`: what happens after a step whose numbers are not finite. All ranks decide alike.
extension Trainer {
  /// A loss or a gradient was not finite, on all ranks alike.
  func refuse(_ values: Int) throws {
    let (step, cause) = (progress.step + 1, try agreeOnCause())
    func stop(_ why: String, _ advice: String) -> SharedError {
      SharedError(exitCode: ExitCode.notFinite, description: "step \(step): \(cause)\(why); \(advice)")
    }
    switch plan.configuration.training.nonFinite {
    case .stop:
      throw stop(" (\(values) values in all)", "lower optimizer.learning_rate, or set training.non_finite")
    case .skip:
      progress.refuse()
      guard progress.refusedInRow < 3 else {
        throw stop(", in the third step in a row", "lower optimizer.learning_rate")
      }
      journal?.warn("step \(step) skipped: \(cause)")
    case .rollback:
      throw Divergence(step: step, cause: cause)
    }
  }

  /// Goes on from the newest checkpoint as a resume does, at half the learning rate. This depends on the checkpoint and on
  /// what follows it alone, so a run that is killed and resumed around it gives the same bits.
  /// - Parameter start: where the run began, for as long as there is no checkpoint.
  func goBack(after divergence: Divergence, orTo start: TrainingState) throws {
    pulse.enter(.save)
    let saved = try Resumed.load(communicator) { try journal?.newestCheckpoint() }
    let good = saved?.state ?? start
    let (step, rollbacks) = (good.progress.step, progress.rollbacks + 1)
    // The checkpoint records the rollbacks before it, so the others went back to it.
    let here = rollbacks - good.progress.rollbacks
    guard here <= 10 else {
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description: "step \(divergence.step): \(divergence.cause), after ten rollbacks to step \(step), each at half "
          + "the learning rate; lower optimizer.learning_rate")
    }
    try communicator.together {
      try resume(from: good, path: saved?.path ?? "")
      progress.rollbacks = rollbacks
      try journal?.resume(at: progress, from: saved)
    }
    let rate = String(format: "%.4g", plan.learningRate[step] * progress.learningRateScale)
    journal?.warn(
      "step \(divergence.step): \(divergence.cause); back to step \(step), and on from there with learning rate \(rate) "
        + "(rollback \(here) of at most 10 to this step)")
  }
}
