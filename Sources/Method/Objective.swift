import Execution
import Kernels

/// The student network and the loss that it goes down, a sum of terms: L of METHOD, step 5.
package final class Objective {
  private let student: TrainingNetwork
  let terms: [any LossTerm]
  private let readsFeatures: Bool

  init(_ student: TrainingNetwork, terms: [any LossTerm]) {
    self.student = student
    self.terms = terms
    readsFeatures = terms.contains(where: \.readsFeatures)
  }

  /// The student pass on what the shard's inputs are, and every term of the loss. Filters are those that the
  /// convolutions loaded last, which must be those of `weights`. `statistics`: the running ones to move; nil leaves
  /// them.
  package func forward(
    _ shard: ShardStep, at weights: UnsafePointer<Float>, moving statistics: UnsafeMutablePointer<Float>?
  ) -> TrainingPass {
    shard.phases.enter(.student)
    let pass = student.forward(
      shard.inputs.images, samples: shard.count, parameters: weights, statistics: statistics,
      randomness: shard.randomness)
    for term in terms { term.evaluate(pass, of: shard) }
    return pass
  }

  /// The gradient of the loss that `forward` measured last, with respect to `weights`.
  package func backward(
    _ pass: TrainingPass, _ shard: ShardStep, at weights: UnsafePointer<Float>, into gradients: Tensor,
    whenFinal: (_ gradients: Int) -> Void = { _ in }
  ) {
    shard.phases.enter(.backward)
    var done = 0
    pass.backward(
      shard.inputs.images, parameters: weights, gradients: gradients.pointer, throughFeatures: readsFeatures
    ) { count in
      for term in terms { term.addGradient(to: gradients, done..<count) }
      done = count
      whenFinal(count)
    }
  }
}
