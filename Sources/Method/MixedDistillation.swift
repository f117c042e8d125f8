import Configuration
import Execution
import Kernels
import Refinement
import Runtime

/// The student sees mixed images and learns what the network itself makes of the unmixed ones, refined or not
/// (`icp.objective: mixed`, beside mixup or CutMix). q' and z' being the softened output and the last features of an
/// original, i a sample and j its partner,
///
/// L = L_task + r [tau^2 KL(w q'_i + (1 - w) q'_j || softmax(student / tau)) + mu (1 - cos(z, w z'_i + (1 - w) z'_j))]
///
/// each a mean over the samples. Originals move down the loss of their own labels.
struct MixedDistillation: MethodPart {
  private let setting: MethodSetting
  let taps: [Int]

  init?(_ setting: MethodSetting) {
    let icp = setting.configuration.icp
    guard icp.rule != .none, icp.objective == .mixed else { return nil }
    self.setting = setting
    taps = [setting.network.features]
  }

  func passes(in stage: Stage) -> Double { stage == .cyclic ? InputRefinement.passes(setting) + 1 : 0 }

  private var targetTaps: [Int] { [setting.network.features, setting.network.output] }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    let target = setting.configuration.distillation.target
    return InputRefinement.memory(setting, memory, taps: target == .running ? targetTaps : [])
      + TargetFeatures.memory(target, taps: targetTaps, memory) + memory.images(setting.network.features)
      + memory.images(setting.network.output) + memory.images(setting.network.output) + memory.teacher(setting)
  }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    builder.add(MixedTerm(setting, targetTaps: targetTaps, tap: firstTap, builder), in: .cyclic)
  }
}

private final class MixedTerm: LossTerm {
  private let refinement: InputRefinement
  private let target: TargetFeatures
  private let divergence: SoftenedDivergence
  private let distance: DistillationLoss
  /// mu
  private let features: Double
  /// The student's last features.
  private let tap: Int
  /// Of the originals, then of their mixtures.
  private let probabilities, mixedProbabilities, mixedFeatures: Tensor
  /// tau^2 KL; 1 - cos
  private let scalars: Range<Int>
  let readsFeatures = true

  init(_ setting: MethodSetting, targetTaps: [Int], tap: Int, _ builder: MethodBuilder) {
    let options = setting.configuration.distillation
    let network = builder.model.network
    refinement = InputRefinement(setting, builder, taps: options.target == .running ? targetTaps : [])
    target = TargetFeatures(options.target, taps: targetTaps, frozen: refinement.network, builder: builder)
    divergence = SoftenedDivergence(classes: network.classes, temperature: options.temperature)
    // The squared distance of two directions is 2 - 2 cos.
    distance = DistillationLoss(weights: [0.5 * options.features], normalization: .l2)
    features = options.features
    self.tap = tap
    probabilities = Tensor(count: builder.capacity * network.classes)
    mixedProbabilities = Tensor(count: builder.capacity * network.classes)
    mixedFeatures = Tensor(count: builder.capacity * network.nodes[network.features].shape.count)
    scalars = builder.scalars("distillation_divergence", "distillation_angle")
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let refined = refinement.refine(shard.originals, of: shard, beside: student)
    shard.phases.enter(.target)
    let target = target.features(of: refined, shard, beside: student)
    let shape = student.featureShape(tap)
    divergence.probabilities(of: target[1], samples: shard.count, into: probabilities.pointer)
    mix(probabilities.pointer, width: divergence.classes, as: shard, into: mixedProbabilities.pointer)
    mix(target[0], width: shape.sampleCount, as: shard, into: mixedFeatures.pointer)
    let strength = shard.context.strength
    let sum = divergence(
      student: student.logits, probabilities: mixedProbabilities.pointer, samples: shard.count,
      scale: strength / Double(shard.count), adding: student.logitsGradient)
    shard.scalars.means[scalars.lowerBound] = sum / Double(shard.count)
    shard.scalars.means[scalars.lowerBound + 1] =
      0.5
      * distance(
        tap: 0, student: student.feature(tap), target: mixedFeatures.pointer, shape: shape, scale: strength,
        gradient: student.featureGradient(tap))
  }

  /// w of each row's own and 1 - w of its partner's.
  private func mix(
    _ rows: UnsafePointer<Float>, width: Int, as shard: ShardStep, into mixed: UnsafeMutablePointer<Float>
  ) {
    guard let mixture = shard.inputs.mixture, let partners = shard.inputs.partners else {
      preconditionFailure("nothing was mixed")
    }
    let (own, other) = (Float(mixture.weight), Float(1 - mixture.weight))
    for sample in 0..<shard.count {
      Elementwise.combine(
        own, rows + sample * width, other, rows + partners[sample] * width, count: width, into: mixed + sample * width)
    }
  }

  private func distillationLoss(_ batch: StepScalars) -> Double {
    batch.means[scalars.lowerBound] + features * batch.means[scalars.lowerBound + 1]
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { context.strength * distillationLoss(batch) }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    refinement.report(batch, context) + [
      "distillation_loss": .number(distillationLoss(batch)), "distillation_weight": .number(context.strength),
      "distillation_divergence": .number(batch.means[scalars.lowerBound]),
      "distillation_angle": .number(batch.means[scalars.lowerBound + 1]),
    ]
  }
}
