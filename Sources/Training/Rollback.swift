import Checkpointing
import Configuration
import Foundation
import MPI
import Runtime

/// `training.non_finite: rollback`: a run whose numbers are not finite goes on from the newest checkpoint as a resume
/// does, at half the learning rate. This depends on the checkpoint and on what follows it alone, so a run that is
/// killed and resumed around it gives the same bits.
package struct Rollback {
  private let trainer: Trainer
  private let journal: RunJournal?
  /// Where the run began, for as long as there is no checkpoint.
  private let start: TrainingState?

  package init(_ trainer: Trainer, _ journal: RunJournal?) {
    self.trainer = trainer
    self.journal = journal
    start = trainer.plan.configuration.training.nonFinite == .rollback ? trainer.state : nil
  }

  /// Runs the trainer to its end, from a checkpoint again where it has to.
  package func run() throws {
    while true {
      do {
        return try trainer.run()
      } catch let divergence as Divergence {
        try goBack(after: divergence, orTo: start!)
      }
    }
  }

  private func goBack(after divergence: Divergence, orTo start: TrainingState) throws {
    trainer.clock.enter(.save)
    let communicator = trainer.communicator
    let saved = try Resumed.load(communicator) { try journal?.newestCheckpoint() }
    let good = saved?.state ?? start
    let step = good.progress.step
    let rollbacks = trainer.progress.rollbacks + 1
    // The checkpoint records the rollbacks before it, so the others went back to it.
    let here = rollbacks - good.progress.rollbacks
    guard here <= 10 else {
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description: "step \(divergence.step): \(divergence.cause), after ten rollbacks to step \(step), each at half "
          + "the learning rate; lower optimizer.learning_rate")
    }
    try communicator.collectively {
      // A checkpoint from before the run was extended does not know that it was.
      let extensions = trainer.progress.extensions
      try trainer.resume(from: good, path: saved?.path ?? "")
      trainer.progress.rollbacks = rollbacks
      trainer.progress.extensions = extensions
      try journal?.resume(at: trainer.progress, from: saved)
    }
    let rate = String(format: "%.4g", trainer.learningRate)
    journal?.warn(
      "step \(divergence.step): \(divergence.cause); back to step \(step), and on from there with learning rate \(rate) "
        + "(rollback \(here) of at most 10 to this step)")
  }
}
