import Graph
import Kernels

/// A network in evaluation mode (weights frozen, batch normalisation on running statistics), so samples do not depend
/// on their batch mates and any number of them runs in pieces that stay in the cache. What the refinement, the
/// evaluation and the `running` target run on.
package final class FrozenNetwork {
  package let network: Network
  /// Samples that run together (docs/PERFORMANCE.md, "Tried").
  package let pieceSize: Int
  private let layout: ParameterLayout
  private let lowering: Lowering
  private let schedule: PieceSchedule
  private let plan: MemoryPlan
  private let set: ProgramKernels
  private let blocks: Blocks
  private let weights: Tensor
  private let output: Int
  private var passes: [Pass?]

  /// `differentiable`: plan the backward pass to the input; without it only `logits` and `output` can be asked for.
  /// `precision`: what lies between layers; images, outputs and the images' gradient are float32 whatever it is.
  /// `taps`: nodes whose outputs are asked for. `capacity`: of fewer samples than a piece, how many there are at most.
  package init(
    _ network: Network, layout: ParameterLayout, backend: ConvolutionBackend, precision: ElementType = .float32,
    differentiable: Bool, taps: [Int] = [], capacity: Int = .max, scratch: Scratch
  ) {
    // Branches are for training alone.
    let network = network.trunk
    self.network = network
    self.layout = layout
    pieceSize = PieceSize.frozen(network)
    let plans = Plans(
      network, layout: layout, backend: backend, precision: precision, differentiable: differentiable, taps: taps,
      scratch: scratch)
    lowering = plans.lowering
    schedule = plans.schedule
    plan = plans.memory
    set = plans.kernels
    output = lowering.program.kept[network.output]!
    blocks = Blocks(plan, capacity: min(capacity, pieceSize), pieceSize: pieceSize)
    weights = Tensor(count: layout.parameterCount)
    passes = Array(repeating: nil, count: pieceSize + 1)
  }

  /// What is known of one before it takes memory.
  private struct Plans {
    let lowering: Lowering
    let schedule: PieceSchedule
    let memory: MemoryPlan
    let kernels: ProgramKernels

    init(
      _ network: Network, layout: ParameterLayout, backend: ConvolutionBackend, precision: ElementType,
      differentiable: Bool, taps: [Int], scratch: Scratch
    ) {
      lowering = Lowering(network, use: .frozen, precision: precision, kept: taps + [network.output])
      let kept = (taps + [network.output]).map { [lowering] in lowering.program.kept[$0]! }
      schedule = PieceSchedule(lowering.program, kept: kept)
      let purpose = MemoryPlan.Purpose(
        lossInputs: differentiable ? [kept.last!] : [], wantsInputGradient: differentiable)
      memory = MemoryPlan(lowering.program, schedule: schedule, kept: kept, purpose: purpose)
      kernels = ProgramKernels(
        lowering.program, layout: layout, use: .frozen, wantsInputGradient: differentiable, backend: backend,
        scratch: scratch)
    }
  }

  /// What one takes that has run batches of `sizes` in pieces, without making it.
  package static func memory(
    _ network: Network, layout: ParameterLayout, backend: ConvolutionBackend, precision: ElementType = .float32,
    differentiable: Bool, taps: [Int] = [], capacity: Int = .max, sizes: Set<Int>
  ) -> MemoryUse {
    let network = network.trunk
    let pieceSize = PieceSize.frozen(network)
    let plans = Plans(
      network, layout: layout, backend: backend, precision: precision, differentiable: differentiable, taps: taps,
      scratch: Scratch())
    let blocks = Blocks.bytes(plans.memory, capacity: min(capacity, pieceSize), pieceSize: pieceSize)
    let pieces = Set(sizes.flatMap { pieceSizes(of: $0, atMost: pieceSize) })
    return pieces.reduce(MemoryUse(own: blocks + 4 * Double(layout.parameterCount))) { sum, piece in
      [Scope.sample, .batch, .statistics].reduce(sum) { $0 + plans.kernels.memory($1, samples: piece) }
    }
  }

  package var classes: Int { network.classes }
  package var input: Shape { Shape(network.input, samples: 1) }

  /// Takes the weights and running statistics to work with, until the next call: once per shard and step.
  package func fold(parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>) {
    weights.pointer.update(from: parameters, count: layout.parameterCount)
    for folding in lowering.foldings { folding.apply(layout, parameters, statistics, to: weights.pointer) }
    set.load(weights.pointer)
  }

  /// Makes the plans for the pieces of `samples` samples, so that no step has to.
  package func prepare(samples: Int) {
    for piece in pieceSizes(of: samples, atMost: pieceSize).sorted() { _ = pass(piece) }
  }

  /// Logits (samples, classes) of at most `pieceSize` samples, valid until the next call.
  package func logits(_ images: UnsafePointer<Float>, samples: Int) -> UnsafeMutablePointer<Float> {
    let pass = pass(samples)
    forward(pass, images)
    return pass.output(output)
  }

  private func forward(_ pass: Pass, _ images: UnsafePointer<Float>) {
    pass.forward(images, parameters: weights.pointer, source: .batch(moving: nil))
  }

  /// Output of a node of the network, for the piece that ran last, with `samples` samples.
  package func output(_ node: Int, samples: Int) -> UnsafeMutablePointer<Float> {
    pass(samples).output(lowering.program.kept[node]!)
  }

  /// Loss and input gradient of at most `pieceSize` samples: `seed` gets the logits and where to write their gradient.
  /// Weight gradients are not computed: they would be a third of forward and backward together.
  package func inputGradient(
    _ images: UnsafePointer<Float>, samples: Int,
    seed: (_ logits: UnsafeMutablePointer<Float>, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafeMutablePointer<Float> {
    let pass = pass(samples)
    forward(pass, images)
    seed(pass.output(output), pass.lossGradient(0))
    pass.backward(images, parameters: weights.pointer, gradients: nil)
    return pass.inputGradient
  }

  private func pass(_ samples: Int) -> Pass {
    precondition(samples > 0 && samples <= pieceSize, "a piece of \(samples)")
    if let known = passes[samples] { return known }
    let pass = Pass(
      set, schedule: schedule, plan: plan, blocks: blocks, samples: samples, pieceSize: pieceSize)
    passes[samples] = pass
    return pass
  }
}
