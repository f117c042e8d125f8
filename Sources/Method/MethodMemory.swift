import Execution
import Graph
import Kernels

/// What parts of a method take, without making them.
package struct MethodMemory {
  package let network: Network
  package let layout: ParameterLayout
  private let kernels: TrainingKernels
  private let backend: ConvolutionBackend
  private let sizes: Set<Int>
  private let capacity: Int

  init(_ plan: MethodPlan, sizes: Set<Int>) {
    network = plan.network
    layout = ParameterLayout(network)
    backend = plan.setting.configuration.kernels.convolution
    kernels = TrainingKernels(network, layout: layout, taps: plan.taps, backend: backend, scratch: Scratch())
    self.sizes = sizes
    capacity = sizes.max() ?? 0
  }

  /// A block like the parameters.
  package var parameters: MemoryUse { MemoryUse(own: 4 * Double(layout.parameterCount)) }
  /// Outputs of a node, for a whole shard; of node 0, images.
  package func images(_ node: Int) -> MemoryUse {
    MemoryUse(own: 4 * Double(capacity) * Double(network.nodes[node].shape.count))
  }

  /// What all training networks share.
  var sharedKernels: MemoryUse { kernels.memory(sizes: sizes) }
  package func network(taps: [Int], differentiable: Bool) -> MemoryUse {
    TrainingNetwork.memory(kernels, taps: taps, capacity: capacity, differentiable: differentiable, sizes: sizes)
  }
  package func frozenNetwork(taps: [Int]) -> MemoryUse {
    FrozenNetwork.memory(network, layout: layout, backend: backend, differentiable: true, taps: taps, sizes: sizes)
  }
}
