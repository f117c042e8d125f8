import Execution
import Graph
import Kernels

/// What parts of a method take, in bytes, without making them.
package struct MethodMemory {
  package let layout: ParameterLayout
  package let network: Network
  private let sizes: Set<Int>
  private let capacity: Int

  init(_ network: Network, sizes: Set<Int>) {
    self.network = network
    self.sizes = sizes
    capacity = sizes.max() ?? 0
    layout = ParameterLayout(network)
  }

  /// A block like the parameters.
  package var parameters: Double { 4 * Double(layout.parameterCount) }
  /// Outputs of a node, for a whole shard; of node 0, images.
  package func images(_ node: Int) -> Double {
    4 * Double(capacity) * Double(network.nodes[node].shape.count)
  }

  /// What all training networks share.
  var convolutions: Double { TrainingKernels.bytes(network, layout: layout, sizes: sizes) }
  package func network(taps: [Int], differentiable: Bool) -> Double {
    TrainingNetwork.bytes(network, taps: taps, capacity: capacity, differentiable: differentiable)
  }
  package var frozenNetwork: Double { FrozenNetwork.bytes(network, layout: layout, sizes: sizes) }
}
