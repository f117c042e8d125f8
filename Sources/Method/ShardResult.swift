import Graph
import Kernels
import Models

/// What a shard's part of a step came to; valid until the next shard.
package struct ShardResult {
  /// Its mean gradient.
  package let gradients: Tensor
  /// Running statistics, as its passes moved them.
  package let statistics: Tensor
  package let scalars: StepScalars
}
