import Configuration
import Execution
import Kernels
import Refinement
import Runtime

/// Steps 3 to 5 of METHOD: the student's features learn those of the refined images.
struct FeatureDistillation: MethodPart {
  private let setting: MethodSetting
  let taps: [Int]

  init?(_ setting: MethodSetting) throws {
    let icp = setting.configuration.icp
    guard icp.rule != .none, icp.objective == .distillation, icp.layer == nil else { return nil }
    self.setting = setting
    taps = try setting.network.tappedNodes(setting.configuration.distillation.taps)
  }

  func passes(in stage: Stage) -> Double { stage == .cyclic ? InputRefinement.passes(setting) + 1 : 0 }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    let target = setting.configuration.distillation.target
    return InputRefinement.memory(setting, memory, taps: target == .running ? taps : [])
      + TargetFeatures.memory(target, taps: taps, memory)
  }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let source = RefinedImageFeatures(setting, taps: taps, builder)
    builder.add(
      DistillationTerm(setting, source, weights: setting.layerWeights, firstTap: firstTap, builder), in: .cyclic)
  }
}

/// Where the features come from that the student's are compared with.
protocol FeatureSource: ScalarSource {
  /// By tap; valid until the next call.
  func features(beside student: TrainingPass, of shard: ShardStep) -> TargetFeatures.Features
}

/// Of the refined images.
private final class RefinedImageFeatures: FeatureSource {
  private let refinement: InputRefinement
  private let target: TargetFeatures

  init(_ setting: MethodSetting, taps: [Int], _ builder: MethodBuilder) {
    let kind = setting.configuration.distillation.target
    refinement = InputRefinement(setting, builder, taps: kind == .running ? taps : [])
    target = TargetFeatures(kind, taps: taps, frozen: refinement.network, builder: builder)
  }

  func features(beside student: TrainingPass, of shard: ShardStep) -> TargetFeatures.Features {
    let refined = refinement.refine(shard.inputs, of: shard)
    shard.phases.enter(.target)
    return target.features(of: refined, shard)
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues { refinement.report(batch, context) }
}

/// (1 - a(e)) L_dist
final class DistillationTerm: LossTerm {
  private let source: any FeatureSource
  private let distillation: DistillationLoss
  private let weights: [Double]
  private let normalization: FeatureNormalization
  /// The student's taps that are compared.
  private let firstTap: Int
  /// mean((F_i - F'_i)^2) of each tap, not weighted: as trained on, and, in logged steps, in the other normalisation.
  private let losses, otherLosses: Range<Int>
  let readsFeatures = true

  /// One weight a tap.
  init(
    _ setting: MethodSetting, _ source: any FeatureSource, weights: [Double], firstTap: Int, _ builder: MethodBuilder
  ) {
    self.source = source
    self.weights = weights
    normalization = setting.configuration.distillation.normalize
    distillation = DistillationLoss(weights: weights, normalization: normalization)
    self.firstTap = firstTap
    losses = builder.scalars(weights.indices.map { "layer_loss_\($0)" })
    otherLosses = builder.scalars(weights.indices.map { "other_layer_loss_\($0)" })
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let target = source.features(beside: student, of: shard)
    for index in 0..<losses.count {
      let tap = firstTap + index
      shard.scalars.means[losses.lowerBound + index] = distillation(
        tap: index, student: student.feature(tap), target: target[index], shape: student.featureShape(tap),
        scale: 1 - shard.context.alpha, gradient: student.featureGradient(tap))
      guard shard.context.isLogged else { continue }
      shard.scalars.means[otherLosses.lowerBound + index] = DistillationLoss.value(
        student: student.feature(tap), target: target[index], shape: student.featureShape(tap),
        normalization: normalization == .none ? .l2 : .none)
    }
  }

  /// sum_i w_i mean((F_i - F'_i)^2)
  private func distillationLoss(_ batch: StepScalars) -> Double {
    zip(weights, batch.means[losses]).reduce(0) { $0 + $1.0 * $1.1 }
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double {
    (1 - context.alpha) * distillationLoss(batch)
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    let (plain, normalized) = normalization == .none ? (losses, otherLosses) : (otherLosses, losses)
    return source.report(batch, context) + [
      "distillation_loss": .number(distillationLoss(batch)),
      "distillation_loss_per_layer_none": .list(Array(batch.means[plain])),
      "distillation_loss_per_layer_l2": .list(Array(batch.means[normalized])),
    ]
  }
}
