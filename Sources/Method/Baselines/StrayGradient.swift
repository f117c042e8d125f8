import Configuration
import Execution
import Graph
import Kernels
import Models

/// The authors' code never clears what the refinement's first backward pass leaves at the weights: the gradient of the
/// mean cross entropy at x_0 in evaluation mode (`icp.stray_gradient`).
struct StrayGradient: MethodPart {
  init?(_ setting: MethodSetting) {
    let icp = setting.configuration.icp
    guard icp.rule != .none, icp.objective == .distillation, icp.strayGradient else { return nil }
  }

  func passes(in stage: Stage) -> Double { stage == .cyclic ? 3 : 0 }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    memory.network(taps: [], differentiable: true) + memory.parameters
  }

  func join(_ builder: MethodBuilder, firstTap: Int) { builder.add(StrayTerm(builder), in: .cyclic) }
}

/// Comes before the distillation, whose target pass moves the running statistics again. Reads no features.
private final class StrayTerm: LossTerm {
  private let network: TrainingNetwork
  private let crossEntropy: CrossEntropy
  private let evaluationModeGradient: Tensor
  let readsFeatures = false

  init(_ builder: MethodBuilder) {
    network = builder.network(taps: [], differentiable: true)
    crossEntropy = CrossEntropy(classes: builder.model.network.classes)
    evaluationModeGradient = Tensor(count: builder.model.layout.parameterCount)
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let pass = network.forward(
      shard.inputs.images, samples: shard.count, parameters: shard.parameters,
      given: UnsafePointer(shard.statistics))
    crossEntropy(
      logits: pass.logits, labels: shard.inputs.labels, mixture: shard.inputs.mixture, samples: shard.count,
      scale: 1 / Double(shard.count), gradient: pass.logitsGradient)
    pass.backward(
      shard.inputs.images, parameters: shard.parameters, gradients: evaluationModeGradient.pointer,
      throughFeatures: false)
  }

  func addGradient(to gradients: Tensor, _ range: Range<Int>) {
    let own = gradients.pointer + range.lowerBound
    Elementwise.combine(1, own, 1, evaluationModeGradient.pointer + range.lowerBound, count: range.count, into: own)
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { 0 }
}
