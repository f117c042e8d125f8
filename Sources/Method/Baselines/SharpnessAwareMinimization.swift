import Configuration
import Execution
import Graph
import Kernels
import Models

/// SAM (Foret et al. 2021; `optimizer.sam_rho`): the gradient at the weights of the worst place within a radius, to
/// first order, w + radius g / ||g||, is what the step takes at w.
///
/// Each shard goes up along its own gradient, the paper's own practice on several accelerators (its "m-sharpness", m
/// the samples of a shard): no reduction more, and the same bits at any number of ranks.
struct SharpnessAwareMinimization: MethodPart {
  private let radius: Double

  init?(_ setting: MethodSetting) {
    radius = setting.configuration.optimizer.samRho
    guard radius > 0 else { return nil }
  }

  func passes(in stage: Stage) -> Double { 3 }

  func memory(_ memory: MethodMemory) -> MemoryUse { memory.parameters }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    builder.rule = SharpnessAscent(
      radius: radius, count: builder.model.layout.parameterCount, convolutions: builder.convolutions)
  }
}

private final class SharpnessAscent: GradientRule {
  private let radius: Double
  private let ascended: Tensor
  private let convolutions: TrainingKernels
  private var discarded: StepScalars?

  init(radius: Double, count: Int, convolutions: TrainingKernels) {
    self.radius = radius
    ascended = Tensor(count: count)
    self.convolutions = convolutions
  }

  func differentiate(
    _ objective: Objective, for shard: ShardStep, into gradients: Tensor, whenFinal: (_ gradients: Int) -> Void
  ) {
    let student = objective.forward(shard, at: shard.parameters, moving: shard.statistics)
    objective.backward(student, shard, at: shard.parameters, into: gradients)
    let weights = ascend(from: shard.parameters, along: gradients)
    convolutions.load(weights)
    // The running statistics have moved already, and what is reported is of the weights that stay.
    var unreported = shard
    unreported.scalars = scratch(shard.scalars)
    let ascended = objective.forward(unreported, at: weights, moving: nil)
    objective.backward(ascended, unreported, at: weights, into: gradients, whenFinal: whenFinal)
    convolutions.load(shard.parameters)
  }

  /// The weights to take the gradient at. A gradient of 0 leaves them in place.
  private func ascend(from parameters: UnsafePointer<Float>, along gradients: Tensor) -> UnsafePointer<Float> {
    // The term beside the norm is that of the usual PyTorch implementation.
    let step = Float(radius / (gradients.norm + 1e-12))
    Elementwise.combine(1, parameters, step, gradients.pointer, count: gradients.count, into: ascended.pointer)
    return UnsafePointer(ascended.pointer)
  }

  /// Made at the first step.
  private func scratch(_ scalars: StepScalars) -> StepScalars {
    if let discarded { return discarded }
    let made = StepScalars(like: scalars)
    discarded = made
    return made
  }
}
