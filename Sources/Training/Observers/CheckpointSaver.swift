import Configuration
import Datasets
import Loading
import MPI
import Optimization
import Runtime
import Supervision

/// When and what a run saves. Rank 0's journal writes; all ranks check what is written, and learn whether it was.
package final class CheckpointSaver: RunObserver {
  private let configuration: RunConfiguration
  private let journal: RunJournal?
  /// Time in which training waited for saves, since it was last taken.
  private var seconds = 0.0

  package init(_ configuration: RunConfiguration, _ journal: RunJournal?) {
    self.configuration = configuration
    self.journal = journal
  }

  /// Tells of the saves that have ended; 1 where the journal cannot save any more.
  package func signal(_ batch: Batch, _ clock: PhaseClock) -> Int64 {
    journal?.collect()
    return journal?.failure == nil ? 0 : 1
  }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    // Three saves in a row failed.
    if signals > 0 { try trainer.communicator.collectively { if let failure = journal?.failure { throw failure } } }
    let progress = trainer.progress
    guard !progress.awaitsEvaluation, progress.step < trainer.lastStep else { return }
    if isDue(configuration.checkpoint.everySteps, progress.step) { try save(trainer) }
  }

  package func epochEnded(_ epoch: FinishedEpoch, of trainer: Trainer) throws {
    if saves(epoch, trainer), !epoch.isSaved { try save(trainer) }
  }

  /// Whether the end of an epoch has a checkpoint of its own.
  func saves(_ epoch: FinishedEpoch, _ trainer: Trainer) -> Bool {
    epoch.isLast || isDue(configuration.checkpoint.everyEpochs, epoch.number + 1)
      || isDue(configuration.checkpoint.everySteps, trainer.progress.step)
  }

  /// After its evaluation, an epoch turned out to be the last one.
  func end(_ epoch: FinishedEpoch, _ trainer: Trainer) throws {
    if !saves(epoch, trainer), !epoch.isSaved { try save(trainer) }
    try finish(trainer)
  }

  /// After the save of an epoch: names its checkpoint the best, where its metric is.
  func judge(_ report: EpochReport, of epoch: FinishedEpoch, _ trainer: Trainer) {
    guard epoch.isWhole, saves(epoch, trainer), let metric = report.metric(configuration.checkpoint.metric) else {
      return
    }
    journal?.judge(step: trainer.progress.step, by: metric)
  }

  /// Saves, where that is not done, and leaves, on all ranks: the run was asked to stop, and can go on from here.
  func saveAndLeave(_ trainer: Trainer, isSaved: Bool = false) throws -> Never {
    if !isSaved { try save(trainer) }
    try finish(trainer)
    throw SharedError(
      exitCode: ExitCode.stopped,
      description:
        "stopped on request after step \(trainer.progress.step), which is saved; --resume auto goes on from there")
  }

  /// Waits for the last save of a run; every rank learns whether it worked.
  func finish(_ trainer: Trainer) throws {
    try timed(trainer) { try trainer.communicator.collectively { try journal?.finishSaving() } }
  }

  func takeSeconds() -> Double {
    defer { seconds = 0 }
    return seconds
  }

  /// Rank 0 copies its state and trains on while it is written.
  private func save(_ trainer: Trainer) throws {
    try timed(trainer) {
      try trainer.exchangeImageRows()
      // In this order: what only one rank holds, finite or not, is the others' to know first.
      try trainer.agree()
      try checkWeights(trainer)
      trainer.clock.enter(.save)
      journal?.save(trainer.state)
    }
  }

  private func timed(_ trainer: Trainer, _ body: () throws -> Void) rethrows {
    let watch = Stopwatch()
    defer {
      trainer.clock.enter(.records)
      seconds += watch.seconds
    }
    trainer.clock.enter(.save)
    try body()
  }

  /// An optimiser step can leave what no gradient showed: weights that are not finite must not become a checkpoint. The
  /// same on every rank, without asking the others.
  private func checkWeights(_ trainer: Trainer) throws {
    guard let name = trainer.firstNotFinite() else { return }
    let cause = "\(name) is not finite after this step"
    guard configuration.training.nonFinite == .rollback else {
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description:
          "step \(trainer.progress.step): \(cause), and was not saved; lower optimizer.learning_rate, and go on from "
          + "the last checkpoint")
    }
    throw Divergence(step: trainer.progress.step, cause: cause)
  }
}
