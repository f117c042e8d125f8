import Graph
import Kernels

/// A network lowered for training, and its kernels with the weights that they have packed: what student, target pass
/// and other networks of the same weights share.
package final class TrainingKernels {
  package let network: Network
  package let layout: ParameterLayout
  /// Samples that run together: what a layer reads and writes stays in the second-level cache.
  package let pieceSize: Int
  let program: Program
  let set: ProgramKernels

  /// `taps`: all nodes whose outputs one of the networks gives out, beside the logits and what they are read
  /// from. `statistics`: the model's running ones, which layers go by that `Network.freeze` fixes; without them such a
  /// network only plans. `precision`: what lies between layers; images, outputs and gradients of the parameters are
  /// float32 whatever it is. `wantsInputGradient`: whether the images' gradient is asked for (`InputGradient`).
  package init(
    _ network: Network, layout: ParameterLayout, taps: [Int], statistics: UnsafePointer<Float>? = nil,
    backend: ConvolutionBackend, precision: ElementType = .float32, scratch: Scratch, pieceSize: Int? = nil,
    wantsInputGradient: Bool = false
  ) {
    self.network = network
    self.layout = layout
    self.pieceSize = pieceSize ?? PieceSize.training(network)
    program = Lowering(network, use: .training, precision: precision, kept: Self.kept(network, taps)).program
    set = ProgramKernels(
      program, layout: layout, use: .training, wantsInputGradient: wantsInputGradient, statistics: statistics,
      backend: backend,
      scratch: scratch)
  }

  /// What the kernels for batches of `sizes` take; they are made when a network first needs them.
  package func memory(sizes: Set<Int>) -> MemoryUse {
    let pieces = Set(sizes.flatMap { pieceSizes(of: $0, atMost: pieceSize) })
    return pieces.reduce(MemoryUse()) { $0 + set.memory(.sample, samples: $1) }
      + sizes.reduce(MemoryUse()) { $0 + set.memory(.batch, samples: $1) }
  }

  static func kept(_ network: Network, _ taps: [Int]) -> [Int] { taps + [network.output, network.features] }

  /// Has the kernels take the weights of `parameters`, which must stay as they are until the next call: once a step.
  package func load(_ parameters: UnsafePointer<Float>) { set.load(parameters) }
}
