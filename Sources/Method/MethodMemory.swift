import Execution
import Graph
import Kernels

/// What parts of a method take, without making them.
package struct MethodMemory {
  package let network: Network
  package let layout: ParameterLayout
  /// The student's, and those of the target pass.
  private let kernels, targetKernels: TrainingKernels
  private let backend: ConvolutionBackend
  private let precisions: Precisions
  private let sizes: Set<Int>
  private let capacity: Int

  /// Of the student.
  private let taps: [Int]

  /// What lies between layers.
  private struct Precisions {
    var student, target: ElementType
  }

  private init(
    _ network: Network, taps: [Int], backend: ConvolutionBackend, precisions: Precisions, sizes: Set<Int>,
    wantsInputGradient: Bool = false
  ) {
    self.network = network
    self.taps = taps
    layout = ParameterLayout(network)
    self.backend = backend
    self.precisions = precisions
    kernels = TrainingKernels(
      network, layout: layout, taps: taps, backend: backend, precision: precisions.student, scratch: Scratch(),
      wantsInputGradient: wantsInputGradient)
    targetKernels = TrainingKernels(
      network, layout: layout, taps: taps, backend: backend, precision: precisions.target, scratch: Scratch())
    self.sizes = sizes
    capacity = sizes.max() ?? 0
  }

  init(_ plan: MethodPlan, sizes: Set<Int>) {
    let configuration = plan.setting.configuration
    self.init(
      plan.network, taps: plan.taps, backend: configuration.kernels.convolution,
      precisions: Precisions(student: configuration.trainingElement, target: configuration.refinementElement),
      sizes: sizes, wantsInputGradient: plan.setting.reusesStudent)
  }

  /// The same for an end of the network, with kernels of its own.
  func of(_ tail: Network, taps: [Int]) -> MethodMemory {
    MethodMemory(
      tail, taps: taps, backend: backend,
      precisions: Precisions(student: precisions.target, target: precisions.target), sizes: sizes)
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
  /// The target pass's network, and its kernels where they are not the student's.
  func targetNetwork(taps: [Int]) -> MemoryUse {
    TrainingNetwork.memory(targetKernels, taps: taps, capacity: capacity, differentiable: false, sizes: sizes)
      + (precisions.student == precisions.target ? MemoryUse() : targetKernels.memory(sizes: sizes))
  }
  /// Kernels of another teacher (`distillation.teacher: ema`), where `targetNetwork` does not count them.
  func teacher(_ setting: MethodSetting) -> MemoryUse {
    setting.configuration.averageTeaches && precisions.student == precisions.target ? sharedKernels : MemoryUse()
  }
  /// Samples of a part of the largest shard.
  func part(_ fraction: Double) -> Int { Int(fraction: fraction, of: capacity) }
  /// What the first gradient takes (`icp.reuse_student`), in pieces of the sizes that `pieces` makes of the shards'.
  func inputGradient(_ pieces: (Set<Int>) -> Set<Int>) -> MemoryUse {
    TrainingNetwork.inputGradientMemory(
      kernels, taps: taps, pieceSize: PieceSize.frozen(network), sizes: pieces(sizes)) ?? MemoryUse()
  }
  package func frozenNetwork(taps: [Int]) -> MemoryUse {
    FrozenNetwork.memory(
      network, layout: layout, backend: backend, precision: precisions.target, differentiable: true, taps: taps,
      sizes: sizes)
  }
}
