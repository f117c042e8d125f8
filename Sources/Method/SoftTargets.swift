import Configuration
import Execution
import Kernels
import Refinement
import Runtime

/// What the network says of the refined image is a part of the label (`icp.objective: soft`): the student's target is
/// (1 - b) y + b softmax(f(x_T) / tau), b being r of METHOD.
struct SoftTargets: MethodPart {
  private let setting: MethodSetting

  init?(_ setting: MethodSetting) throws {
    let icp = setting.configuration.icp
    guard icp.rule != .none, icp.objective == .soft else { return nil }
    self.setting = setting
    try setting.checkReuse(taps: [])
  }

  private var targetTaps: [Int] { [setting.network.output] }

  func passes(in stage: Stage) -> Double {
    stage == .cyclic ? InputRefinement.passes(setting) + 1 : 0
  }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    let target = setting.configuration.distillation.target
    return InputRefinement.memory(setting, memory, taps: target == .running ? targetTaps : [])
      + TargetFeatures.memory(target, taps: targetTaps, memory) + memory.images(setting.network.output)
      + memory.teacher(setting)
  }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    builder.add(SoftTerm(setting, targetTaps: targetTaps, builder), in: .cyclic)
  }
}

/// b times the cross entropy with the softened output; the other share is the task loss's, by a = 1 - b.
private final class SoftTerm: LossTerm {
  private let refinement: InputRefinement
  private let target: TargetFeatures
  private let softened, divergence: SoftenedDivergence
  private let probabilities: Tensor
  private let scalar: Int
  let readsFeatures = false

  init(_ setting: MethodSetting, targetTaps: [Int], _ builder: MethodBuilder) {
    let options = setting.configuration.distillation
    let classes = builder.model.network.classes
    refinement = InputRefinement(setting, builder, taps: options.target == .running ? targetTaps : [])
    target = TargetFeatures(options.target, taps: targetTaps, frozen: refinement.network, builder: builder)
    softened = SoftenedDivergence(classes: classes, temperature: options.temperature)
    divergence = SoftenedDivergence(classes: classes, temperature: 1)
    probabilities = Tensor(count: builder.capacity * classes)
    scalar = builder.scalars("soft_loss").lowerBound
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let refined = refinement.refine(shard.inputs, of: shard, beside: student)
    shard.phases.enter(.target)
    softened.probabilities(
      of: target.features(of: refined, shard, beside: student)[0], samples: shard.count, into: probabilities.pointer)
    // The entropy of a constant target is a constant: the divergence's gradient is the cross entropy's.
    let sum = divergence(
      student: student.logits, probabilities: probabilities.pointer, samples: shard.count,
      scale: shard.context.strength / Double(shard.count), adding: student.logitsGradient)
    let entropy = divergence.entropy(of: probabilities.pointer, samples: shard.count)
    shard.scalars.means[scalar] = (sum + entropy) / Double(shard.count)
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { context.strength * batch.means[scalar] }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    refinement.report(batch, context) + [
      "distillation_loss": .number(batch.means[scalar]), "distillation_weight": .number(context.strength),
    ]
  }
}
