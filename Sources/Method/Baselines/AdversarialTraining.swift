import Configuration
import Kernels
import Refinement
import Runtime

/// The student trains on the refined images themselves (`icp.objective: task`): with a rule that goes up the loss,
/// adversarial training (Madry et al. 2018).
struct AdversarialTraining: MethodPart {
  private let setting: MethodSetting

  init?(_ setting: MethodSetting) {
    let icp = setting.configuration.icp
    guard icp.rule != .none, icp.objective == .task else { return nil }
    self.setting = setting
  }

  func passes(in stage: Stage) -> Double { stage == .cyclic ? InputRefinement.passes(setting) : 0 }

  func memory(_ memory: MethodMemory) -> MemoryUse { InputRefinement.memory(setting, memory) }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    builder.add(RefinedInputs(InputRefinement(setting, builder)), in: .cyclic)
  }
}

/// x_T in the place of x. No student pass has moved the running statistics yet: they are those from before the step.
private final class RefinedInputs: InputTransform {
  private let refinement: InputRefinement

  init(_ refinement: InputRefinement) { self.refinement = refinement }

  func apply(to shard: inout ShardStep) {
    shard.inputs.images = UnsafePointer(refinement.refine(shard.inputs, of: shard).images)
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    refinement.report(batch, context)
  }
}
