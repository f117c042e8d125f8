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
    guard icp.rule != .none, icp.objective == .distillation else { return nil }
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
    builder.add(DistillationTerm(setting, taps: taps, firstTap: firstTap, builder), in: .cyclic)
  }
}

/// (1 - a(e)) L_dist
final class DistillationTerm: LossTerm {
  private let refinement: InputRefinement
  private let target: TargetFeatures
  private let distillation: DistillationLoss
  private let weights: [Double]
  private let normalization: FeatureNormalization
  /// The student's taps that are compared.
  private let firstTap: Int
  /// mean((F_i - F'_i)^2) of each tap, not weighted: as trained on, and, in logged steps, in the other normalisation.
  private let losses, otherLosses: Range<Int>
  let readsFeatures = true

  init(_ setting: MethodSetting, taps: [Int], firstTap: Int, _ builder: MethodBuilder) {
    let options = setting.configuration.distillation
    refinement = InputRefinement(setting, builder, taps: options.target == .running ? taps : [])
    target = TargetFeatures(options.target, taps: taps, frozen: refinement.network, builder: builder)
    weights = setting.layerWeights
    normalization = options.normalize
    distillation = DistillationLoss(weights: weights, normalization: normalization)
    self.firstTap = firstTap
    losses = builder.scalars(taps.indices.map { "layer_loss_\($0)" })
    otherLosses = builder.scalars(taps.indices.map { "other_layer_loss_\($0)" })
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let refined = refinement.refine(shard.inputs, of: shard)
    shard.phases.enter(.target)
    let target = target.features(of: refined, shard)
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
    return refinement.report(batch, context) + [
      "distillation_loss": .number(distillationLoss(batch)),
      "distillation_loss_per_layer_none": .list(Array(batch.means[plain])),
      "distillation_loss_per_layer_l2": .list(Array(batch.means[normalized])),
    ]
  }
}
