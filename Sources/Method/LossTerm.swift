import Execution
import Kernels

/// One term of the loss that a step goes down.
package protocol LossTerm: ScalarSource {
  /// Whether it writes gradients with respect to features, and not to the logits alone.
  var readsFeatures: Bool { get }
  /// Measures the term after a student pass: writes its scalars, and its gradient with respect to logits and features
  /// where the backward pass picks it up.
  func evaluate(_ student: TrainingPass, of shard: ShardStep)
  /// Adds what the term gives the weights' gradient by itself, beside what goes through outputs, to `range` of it;
  /// nothing by default.
  func addGradient(to gradients: Tensor, _ range: Range<Int>)
  /// Its part of the total loss, of the batch's means.
  func loss(_ batch: StepScalars, _ context: StepContext) -> Double
}

extension LossTerm {
  package func addGradient(to gradients: Tensor, _ range: Range<Int>) {}
}
