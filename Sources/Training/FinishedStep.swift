import Method
import Reduction

/// What a step came to, on every rank alike but for times; valid until the next step.
package struct FinishedStep {
  package let context: StepContext
  package let learningRate: Double
  /// Of the batch; not numbers where the step was refused.
  package let scalars: StepScalars
  /// Before clipping; not a number where the step was refused.
  package let gradientNorm: Double
  /// Values that were not finite or too large, over all ranks; nothing was changed then.
  package let refused: Int
  /// The first of this rank's.
  package let firstRefused: String?
  /// From waiting for the batch to the optimiser; and what all threads of this process had of the processor meanwhile.
  package var seconds = 0.0
  package var processorSeconds = 0.0

  init(_ context: StepContext, _ sum: GradientReduction.Sum, learningRate: Double, gradientNorm: Double = .nan) {
    self.context = context
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    scalars = sum.scalars
    refused = sum.refused
    firstRefused = sum.firstRefused
  }

  package var isTaken: Bool { refused == 0 }
}
