import Configuration
import Evaluation
import Method
import Reduction
import Refinement
import Reporting
import Supervision

/// What a step came to, on every rank alike.
package struct StepReport: Sendable {
  package var step: Int
  package var mode: CyclicStep.Mode
  package var sums: StepSums
  package var layerWeights: [Double]
  package var normalization: FeatureNormalization
  /// Before clipping; not a number where the step was refused.
  package var gradientNorm: Double
  package var learningRate: Double
  package var imagesPerSecond: Double

  /// sum_i w_i mean((F_i - F'_i)^2)
  package var distillationLoss: Double {
    zip(layerWeights, sums.layerLosses).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// a L_task + (1 - a) L_dist, or L_task and the branches' loss
  package var totalLoss: Double {
    mode.isCyclic
      ? mode.alpha * sums.taskLoss + (1 - mode.alpha) * distillationLoss : sums.taskLoss + sums.branchLoss
  }

  private var distils: Bool { mode.isCyclic && !sums.layerLosses.isEmpty }

  /// Each layer's loss, not weighted: the one in use, and plain and normalised beside each other.
  private var layerRecords: [String: RecordValue] {
    let (plain, normalized) =
      normalization == .none ? (sums.layerLosses, sums.otherLayerLosses) : (sums.otherLayerLosses, sums.layerLosses)
    return [
      "distillation_loss_per_layer_none": .list(Array(plain)),
      "distillation_loss_per_layer_l2": .list(Array(normalized)),
    ]
  }

  var record: StepRecord {
    func cyclic(_ value: Double) -> Double? { mode.isCyclic ? value : nil }
    return StepRecord(
      step: step, epoch: mode.epoch, taskLoss: sums.taskLoss, distillationLoss: distils ? distillationLoss : nil,
      totalLoss: totalLoss, alpha: mode.alpha, gradientNorm: gradientNorm, learningRate: learningRate,
      perturbation: cyclic(sums.perturbation), lossAtX0: cyclic(sums.lossAtStart), lossAtXT: cyclic(sums.lossAtEnd),
      imagesPerSecond: imagesPerSecond,
      extra: distils ? layerRecords : sums.branchLoss > 0 ? ["branch_loss": .number(sums.branchLoss)] : [:])
  }
}

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
  /// The share of training labels that are wrong; nil without noise.
  package var labelNoiseRate: Double?
  package var seconds: Double
  /// Of these, what training waited for saves.
  package var savingSeconds: Double
  /// The median of the steps that were taken, each from waiting for its batch to the optimiser; nil where none was.
  package var secondsPerStep: Double?
  /// The same of the processor's time that rank 0's process took: other programs on its cores hardly change it.
  package var processorSecondsPerStep: Double?

  /// What chooses the best checkpoint.
  package func metric(_ kind: CheckpointMetric) -> (value: Double, higherIsBetter: Bool)? {
    switch kind {
    case .trainLoss: (trainLoss, false)
    case .validationAccuracy: validation.map { ($0.accuracy, true) }
    }
  }

  var record: EpochRecord {
    EpochRecord(
      epoch: epoch, step: step, trainLoss: trainLoss, trainAccuracy: trainAccuracy,
      validation: validation.map(SplitScores.init), test: test.map(SplitScores.init), seconds: seconds,
      extra: [
        "saving_seconds": .number(savingSeconds), "seconds_per_step": .number(secondsPerStep),
        "processor_seconds_per_step": .number(processorSecondsPerStep),
      ].merging(regimeValues) { first, _ in first }
        .merging(ProcessResources.current.values) { first, _ in first })
  }

  /// Calibration, generalisation and what became of noisy labels; not finite where nothing was measured.
  private var regimeValues: [String: RecordValue] {
    var values: [String: RecordValue] = ["test_ece": .number(test?.ece)]
    if let validation { values["validation_ece"] = .number(validation.ece) }
    if let labelNoiseRate { values["label_noise_rate"] = .number(labelNoiseRate) }
    guard let trainSample else { return values }
    values["train_eval_loss"] = .number(trainSample.loss)
    values["train_eval_accuracy"] = .number(trainSample.accuracy)
    values["generalization_gap"] = .number(test.map { trainSample.accuracy - $0.accuracy })
    guard labelNoiseRate != nil else { return values }
    values["train_accuracy_right_labels"] = .number(trainSample.labelScores.right)
    values["train_accuracy_wrong_labels"] = .number(trainSample.labelScores.wrong)
    values["train_accuracy_true_labels"] = .number(trainSample.labelScores.truth)
    return values
  }
}

extension SplitScores {
  init(_ metrics: ClassificationMetrics) {
    self.init(loss: metrics.loss, accuracy: metrics.accuracy, f1: metrics.f1)
  }
}

/// What a step came to: what the ranks told each other in its reduction, the gradient's norm from before clipping, not a
/// number where the step was refused, and this rank's computing time.
package struct StepOutcome: Sendable {
  package var status: GradientReduction.Status
  package var gradientNorm: Double
  var ownSecondsPerSample: Double
}

/// How a run ended.
package struct RunResult: Sendable {
  package var progress: TrainingProgress
  package var report: EpochReport
  /// Of this start.
  package var seconds: Double
}
