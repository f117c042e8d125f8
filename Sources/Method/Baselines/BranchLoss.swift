import Kernels
import Networks

/// The weights of a branch's losses, and the temperature of its distillation.
package struct BranchOptions: Sendable {
  package var task: Double
  package var distillation: Double
  package var temperature: Double
  package var features: Double

  package init(task: Double, distillation: Double, temperature: Double, features: Double) {
    self.task = task
    self.distillation = distillation
    self.temperature = temperature
    self.features = features
  }
}

/// "Be your own teacher" (Zhang et al. 2019): classifiers on earlier stages learn the labels, and what the network's own
/// logits z and features F say, these being constants:
///
/// sum over branches of  task L_task(z_b) + distillation T^2 KL(softmax(z / T) || softmax(z_b / T)) + features ||F_b - F||^2
///
/// each a mean over the samples; F_b is the branch's hidden layer.
struct BranchLoss {
  private let options: BranchOptions
  private let taskLoss: CrossEntropy
  private let divergence: SoftenedDivergence

  init(_ options: BranchOptions, taskLoss: CrossEntropy) {
    (self.options, self.taskLoss) = (options, taskLoss)
    divergence = SoftenedDivergence(classes: taskLoss.classes, temperature: options.temperature)
  }

  /// The loss; its gradients go to the seeds of the student's taps, which are `Architecture.branchTaps`.
  func callAsFunction(_ student: TrainingPass, _ inputs: StepInputs) -> Double {
    let (samples, width) = (student.samples, student.lastFeaturesShape.sampleCount)
    let mean = 1 / Double(samples)
    var loss = 0.0
    for tap in stride(from: 0, to: student.featureCount, by: 2) {
      let (hidden, logits) = (student.feature(tap), student.feature(tap + 1))
      let seed = student.featureSeed(tap + 1)
      loss +=
        options.task * mean
        * taskLoss(
          logits: logits, labels: inputs.labels, mixture: inputs.mixture, samples: samples,
          scale: options.task * mean, gradient: seed)
      loss +=
        options.distillation * mean
        * divergence(
          student: logits, teacher: student.logits, samples: samples, scale: options.distillation * mean,
          adding: seed)
      let factor = Float(2 * options.features * mean)
      Elementwise.combine(
        factor, hidden, -factor, student.lastFeatures, count: samples * width, into: student.featureSeed(tap))
      loss +=
        options.features * mean
        * Elementwise.squaredDistance(hidden, student.lastFeatures, count: samples * width)
    }
    return loss
  }
}
