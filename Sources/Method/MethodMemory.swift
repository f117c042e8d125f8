import Kernels
import Networks

/// What parts of a method take, in bytes, without making them.
package struct MethodMemory {
  package let layout: ParameterLayout
  private let architecture: Architecture
  private let sizes: Set<Int>
  private let capacity: Int

  init(_ architecture: Architecture, sizes: Set<Int>) {
    self.architecture = architecture
    self.sizes = sizes
    capacity = sizes.max() ?? 0
    layout = ParameterLayout(architecture)
  }

  package var input: Shape { architecture.input }
  /// A block like the parameters.
  package var parameters: Double { 4 * Double(layout.parameterCount) }
  /// Outputs of a node, for a whole shard; of node 0, images.
  package func images(_ node: Int) -> Double {
    4 * Double(capacity) * Double(architecture.nodes[node].shape.sampleCount)
  }

  /// What all training networks share.
  var convolutions: Double { TrainingConvolutions.bytes(architecture, layout: layout, sizes: sizes) }
  package func network(taps: [Int], differentiable: Bool) -> Double {
    TrainingNetwork.bytes(architecture, taps: taps, capacity: capacity, differentiable: differentiable)
  }
  package var frozenNetwork: Double { FrozenNetwork.bytes(architecture, layout: layout, sizes: sizes) }
}
