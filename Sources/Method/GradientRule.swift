import Kernels

/// How the gradient of the loss is taken.
package protocol GradientRule: AnyObject {
  /// Leaves the shard's mean gradient in `gradients`. `whenFinal` hears, layer by layer, how many of them are final.
  func differentiate(
    _ objective: Objective, for shard: ShardStep, into gradients: Tensor, whenFinal: (_ gradients: Int) -> Void)
}

/// One student pass, one backward pass.
final class PlainGradient: GradientRule {
  func differentiate(
    _ objective: Objective, for shard: ShardStep, into gradients: Tensor, whenFinal: (_ gradients: Int) -> Void
  ) {
    let student = objective.forward(shard, at: shard.parameters, moving: shard.statistics)
    objective.backward(student, shard, at: shard.parameters, into: gradients, whenFinal: whenFinal)
  }
}
