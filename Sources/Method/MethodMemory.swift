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

  /// Of the student.
  private let taps: [Int]

  private init(
    _ network: Network, taps: [Int], backend: ConvolutionBackend, sizes: Set<Int>, wantsInputGradient: Bool = false
  ) {
    self.network = network
    self.taps = taps
    layout = ParameterLayout(network)
    self.backend = backend
    kernels = TrainingKernels(
      network, layout: layout, taps: taps, backend: backend, scratch: Scratch(),
      wantsInputGradient: wantsInputGradient)
    self.sizes = sizes
    capacity = sizes.max() ?? 0
  }

  init(_ plan: MethodPlan, sizes: Set<Int>) {
    self.init(
      plan.network, taps: plan.taps, backend: plan.setting.configuration.kernels.convolution, sizes: sizes,
      wantsInputGradient: plan.setting.reusesStudent)
  }

  /// The same for an end of the network, with kernels of its own.
  func of(_ tail: Network, taps: [Int]) -> MethodMemory {
    MethodMemory(tail, taps: taps, backend: backend, sizes: sizes)
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
  /// Kernels of another teacher (`distillation.teacher: ema`).
  func teacher(_ setting: MethodSetting) -> MemoryUse { setting.hasOtherTeacher ? sharedKernels : MemoryUse() }
  /// Samples of a part of the largest shard.
  func part(_ fraction: Double) -> Int { Int(fraction: fraction, of: capacity) }
  /// What the first gradient takes (`icp.reuse_student`), in pieces of the sizes that `pieces` makes of the shards'.
  func inputGradient(_ pieces: (Set<Int>) -> Set<Int>) -> MemoryUse {
    TrainingNetwork.inputGradientMemory(
      kernels, taps: taps, pieceSize: PieceSize.frozen(network), sizes: pieces(sizes)) ?? MemoryUse()
  }
  package func frozenNetwork(taps: [Int]) -> MemoryUse {
    FrozenNetwork.memory(network, layout: layout, backend: backend, differentiable: true, taps: taps, sizes: sizes)
  }
}
