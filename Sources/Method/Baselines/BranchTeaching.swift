import Configuration
import Execution
import Graph
import Kernels
import Models
import Runtime

/// "Be your own teacher" (Zhang et al. 2019; `branches.*`): classifiers on earlier stages learn the labels, and what
/// the network's own logits z and features F say, these being constants:
///
/// sum over branches of  task L_task(z_b) + distillation T^2 KL(softmax(z / T) || softmax(z_b / T)) + features ||F_b -
/// F||^2
///
/// each a mean over the samples; F_b is the branch's hidden layer.
struct BranchTeaching: MethodPart {
  private let setting: MethodSetting
  private let nodes: [Int]

  init?(_ setting: MethodSetting) throws {
    guard let names = setting.configuration.branches.taps else { return nil }
    self.setting = setting
    nodes = try setting.network.tappedNodes(names, key: "branches.taps")
  }

  func extended(_ network: Network) -> Network { network.branched(at: nodes) }

  var taps: [Int] { setting.network.branched(at: nodes).branchTaps }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    builder.add(BranchTerm(setting, taps: firstTap..<firstTap + taps.count, builder), in: .plain, .cyclic)
  }
}

private final class BranchTerm: LossTerm {
  private let weights: RunConfiguration.BranchesSection
  private let crossEntropy: CrossEntropy
  private let divergence: SoftenedDivergence
  /// Of the student: of each branch the hidden layer, then the logits.
  private let taps: Range<Int>
  private let scalar: Int
  let readsFeatures = true

  init(_ setting: MethodSetting, taps: Range<Int>, _ builder: MethodBuilder) {
    weights = setting.configuration.branches
    let classes = builder.model.network.classes
    crossEntropy = builder.taskCrossEntropy
    divergence = SoftenedDivergence(classes: classes, temperature: weights.temperature)
    self.taps = taps
    scalar = builder.scalars("branch_loss").lowerBound
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let (samples, width) = (student.samples, student.lastFeaturesShape.sampleCount)
    let mean = 1 / Double(samples)
    // Of labels, as in the task loss.
    let weighted = mean / shard.inputs.meanWeight
    var loss = 0.0
    for tap in stride(from: taps.lowerBound, to: taps.upperBound, by: 2) {
      let (hidden, logits) = (student.feature(tap), student.feature(tap + 1))
      let gradient = student.featureGradient(tap + 1)
      loss +=
        weights.task * weighted
        * crossEntropy(
          logits: logits, labels: shard.inputs.labels, mixture: shard.inputs.mixture, samples: samples,
          scale: weights.task * weighted, gradient: gradient)
      loss +=
        weights.distillation * mean
        * divergence(
          student: logits, teacher: student.logits, samples: samples, scale: weights.distillation * mean,
          adding: gradient)
      let factor = Float(2 * weights.features * mean)
      Elementwise.combine(
        factor, hidden, -factor, student.lastFeatures, count: samples * width, into: student.featureGradient(tap))
      loss +=
        weights.features * mean
        * Elementwise.squaredDistance(hidden, student.lastFeatures, count: samples * width)
    }
    shard.scalars.means[scalar] = loss
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { batch.means[scalar] }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    // Not where the step was refused.
    batch.means[scalar] > 0 ? ["branch_loss": .number(batch.means[scalar])] : [:]
  }
}
