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
    try setting.checkReuse(taps: taps)
  }

  func passes(in stage: Stage) -> Double {
    let target = setting.targetsPartAlone ? icp.fraction : 1
    return stage == .cyclic ? InputRefinement.passes(setting) + target : 0
  }
  private var icp: RunConfiguration.ICPSection { setting.configuration.icp }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    let target = setting.configuration.distillation.target
    let own =
      InputRefinement.memory(setting, memory, taps: target == .running ? taps : [])
      + TargetFeatures.memory(target, taps: taps, memory) + memory.teacher(setting)
    return setting.targetsPartAlone
      ? own + ChosenRows.memory(samples: memory.part(icp.fraction), width: width) : own
  }

  /// Of the largest tap, a sample.
  private var width: Int { taps.map { setting.network.nodes[$0].shape.count }.max() ?? 0 }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let source = RefinedImageFeatures(setting, taps: taps, builder)
    let part = Int(fraction: icp.fraction, of: builder.capacity)
    let term = DistillationTerm(
      setting, source, weights: setting.layerWeights, firstTap: firstTap,
      rows: setting.targetsPartAlone ? ChosenRows(samples: part, width: width) : nil, builder)
    builder.add(term, in: .cyclic)
  }
}

/// Where the features come from that the student's are compared with.
protocol FeatureSource: ScalarSource {
  /// By tap, and of which samples of the shard; valid until the next call. No features where these are none.
  func features(beside student: TrainingPass, of shard: ShardStep) -> Targets
}

struct Targets {
  var features: TargetFeatures.Features?
  var refined: RefinedImages
}

/// Of the refined images.
private final class RefinedImageFeatures: FeatureSource {
  private let refinement: InputRefinement
  private let target: TargetFeatures

  init(_ setting: MethodSetting, taps: [Int], _ builder: MethodBuilder) {
    let kind = setting.configuration.distillation.target
    refinement = InputRefinement(setting, builder, taps: kind == .running ? taps : [])
    let fraction = setting.configuration.icp.fraction
    let counts = Set(builder.sizes.map { Int(fraction: fraction, of: $0) }).subtracting([0])
    target = TargetFeatures(
      kind, taps: taps, frozen: refinement.network, counts: setting.targetsPartAlone ? counts : nil, builder: builder)
  }

  func features(beside student: TrainingPass, of shard: ShardStep) -> Targets {
    let refined = refinement.refine(shard.inputs, of: shard, beside: student)
    shard.phases.enter(.target)
    let isNone = refined.samples.isEmpty
    return Targets(features: isNone ? nil : target.features(of: refined, shard, beside: student), refined: refined)
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
  /// Where a part of the shard counts.
  private let rows: ChosenRows?
  let readsFeatures = true

  /// One weight a tap. `rows`: for a source that gives features of some of the samples alone.
  init(
    _ setting: MethodSetting, _ source: any FeatureSource, weights: [Double], firstTap: Int, rows: ChosenRows? = nil,
    _ builder: MethodBuilder
  ) {
    self.source = source
    self.weights = weights
    normalization = setting.configuration.distillation.normalize
    distillation = DistillationLoss(weights: weights, normalization: normalization)
    self.firstTap = firstTap
    self.rows = rows
    losses = builder.scalars(weights.indices.map { "layer_loss_\($0)" })
    otherLosses = builder.scalars(weights.indices.map { "other_layer_loss_\($0)" })
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let targets = source.features(beside: student, of: shard)
    for index in 0..<losses.count {
      let tap = firstTap + index
      let shape = student.featureShape(tap)
      let own = (features: UnsafePointer(student.feature(tap)), gradient: student.featureGradient(tap))
      guard let target = targets.features else {
        own.gradient.update(repeating: 0, count: shape.count)
        continue
      }
      guard let rows, let places = targets.refined.places else {
        measure(index, own.features, target[index], shape, own.gradient, shard)
        continue
      }
      let (count, width) = (targets.refined.samples.count, shape.sampleCount)
      let chosen = rows.gathered(own.features, at: places, count: count, width: width)
      measure(index, chosen, target[index], shape.withBatch(count), rows.gradient, shard)
      rows.scatter(into: own.gradient, at: places, count: count, of: shape.batch, width: width)
    }
  }

  private func measure(
    _ index: Int, _ student: UnsafePointer<Float>, _ target: UnsafePointer<Float>, _ shape: Shape,
    _ gradient: UnsafeMutablePointer<Float>, _ shard: ShardStep
  ) {
    shard.scalars.means[losses.lowerBound + index] = distillation(
      tap: index, student: student, target: target, shape: shape, scale: 1 - shard.context.alpha, gradient: gradient)
    guard shard.context.isLogged else { return }
    shard.scalars.means[otherLosses.lowerBound + index] = DistillationLoss.value(
      student: student, target: target, shape: shape, normalization: normalization == .none ? .l2 : .none)
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
