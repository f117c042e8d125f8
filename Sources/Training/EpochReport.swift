import Configuration
import Evaluation
import Reporting
import Runtime
import Supervision

/// What an epoch, or the part of it that ran, came to.
package struct EpochReport: Sendable {
  package var step: Int
  package var epoch: Int
  package var trainLoss: Double
  package var trainAccuracy: Double
  /// Nil where `evaluation.every_epochs` left it out, like the validation split's.
  package var test: ClassificationMetrics?
  package var validation: ClassificationMetrics?
  /// Of a fixed part of the training set, in evaluation mode and without augmentation.
  package var trainSample: ClassificationMetrics?
  package struct Splits: Sendable {
    package var test: ClassificationMetrics?
    package var validation: ClassificationMetrics?
  }
  /// Of the averaged weights; nil without `training.ema`.
  package var averaged: Splits?
  /// The share of training labels that are wrong; nil without noise.
  package var labelNoiseRate: Double?
  package var seconds = 0.0
  /// Of these, what training waited for saves.
  package var savingSeconds = 0.0
  /// The median of the steps that were taken, each from waiting for its batch to the optimiser; nil where none was.
  package var secondsPerStep: Double?
  /// The same of the processor's time that rank 0's process took: other programs on its cores hardly change it.
  package var processorSecondsPerStep: Double?

  /// What chooses the best checkpoint.
  package func metric(_ kind: CheckpointMetric) -> (value: Double, higherIsBetter: Bool)? {
    switch kind {
    case .trainLoss: (trainLoss, false)
    case .validationAccuracy: validation.map { ($0.accuracy, true) }
    case .validationAccuracyEMA: averaged?.validation.map { ($0.accuracy, true) }
    }
  }

  var record: Record {
    .epoch(
      epoch, step: step, trainLoss: trainLoss, trainAccuracy: trainAccuracy,
      validation: validation.map(SplitScores.init),
      test: test.map(SplitScores.init), seconds: seconds,
      others: [
        "saving_seconds": .number(savingSeconds), "seconds_per_step": .number(secondsPerStep),
        "processor_seconds_per_step": .number(processorSecondsPerStep),
      ] + averagedValues + regimeValues + ProcessResources.current.values)
  }

  /// Of an evaluation within the epoch.
  var evaluation: Record {
    .evaluation(
      epoch, step: step,
      (validation.map { Record.scores("validation", SplitScores($0)) } ?? [:])
        + Record.scores("test", test.map(SplitScores.init)) + (averagedValues + regimeValues).ordered([]))
  }

  private var averagedValues: NamedValues {
    guard let averaged else { return [:] }
    let validation: NamedValues =
      validation == nil ? [:] : Record.scores("validation", averaged.validation.map(SplitScores.init))
    return (Record.scores("test", averaged.test.map(SplitScores.init)) + validation).suffixed("_ema")
  }

  /// Calibration, generalisation and what became of noisy labels; not finite where nothing was measured.
  private var regimeValues: NamedValues {
    var values: NamedValues = ["test_ece": .number(test?.ece)]
    if let validation { values += ["validation_ece": .number(validation.ece)] }
    if let labelNoiseRate { values += ["label_noise_rate": .number(labelNoiseRate)] }
    guard let trainSample else { return values }
    values += [
      "train_eval_loss": .number(trainSample.loss), "train_eval_accuracy": .number(trainSample.accuracy),
      "generalization_gap": .number(test.map { trainSample.accuracy - $0.accuracy }),
    ]
    guard labelNoiseRate != nil else { return values }
    return values + [
      "train_accuracy_right_labels": .number(trainSample.labelScores.right),
      "train_accuracy_wrong_labels": .number(trainSample.labelScores.wrong),
      "train_accuracy_true_labels": .number(trainSample.labelScores.truth),
    ]
  }
}

extension SplitScores {
  init(_ metrics: ClassificationMetrics) {
    self.init(
      loss: metrics.loss, accuracy: metrics.accuracy, f1: metrics.f1, balancedAccuracy: metrics.balancedAccuracy,
      topFiveAccuracy: metrics.topFiveAccuracy)
  }
}
