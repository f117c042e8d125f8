import Method
import Runtime

/// Rank 0's records of steps, and the console.
package final class StepRecorder: RunObserver {
  private let journal: RunJournal?

  /// `journal`: nil on other ranks.
  package init(_ journal: RunJournal?) { self.journal = journal }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) {
    guard let journal else { return }
    let values = trainer.method.report(step.scalars, step.context)
    journal.record(
      step: trainer.progress.step, step.context,
      values: values + [
        "alpha": .number(step.context.alpha), "gradient_norm": .number(step.gradientNorm),
        "learning_rate": .number(step.learningRate),
        "images_per_second": .number(Double(step.context.batchCount) / step.seconds),
      ], seconds: step.seconds, meanLoss: trainer.progress.trainLoss)
  }
}
