import Graph
import Kernels

/// A network in training mode for any batch up to a capacity: a plan per batch size, made when that size comes for the
/// first time, all in one block of memory.
package final class TrainingNetwork {
  private let kernels: TrainingKernels
  private let taps: [Int]
  private let schedule: PieceSchedule
  private let plan: MemoryPlan
  private let blocks: Blocks
  private let capacity: Int
  private var passes: [Int: TrainingPass] = [:]

  /// `differentiable`: keep what the backward pass reads; otherwise only logits and the taps' features survive a pass.
  package init(_ kernels: TrainingKernels, taps: [Int], capacity: Int, differentiable: Bool) {
    self.kernels = kernels
    self.taps = taps
    self.capacity = capacity
    let plans = Self.plans(kernels.program, kernels.network, taps: taps, differentiable: differentiable)
    schedule = plans.schedule
    plan = plans.memory
    blocks = Blocks(plan, capacity: capacity, pieceSize: kernels.pieceSize)
  }

  /// What such a network takes with plans for batches of `sizes`, without making one: intermediates, and the kernels
  /// that it does not share.
  package static func memory(
    _ kernels: TrainingKernels, taps: [Int], capacity: Int, differentiable: Bool, sizes: Set<Int>
  ) -> MemoryUse {
    let plan = plans(kernels.program, kernels.network, taps: taps, differentiable: differentiable).memory
    let blocks = MemoryUse(own: Blocks.bytes(plan, capacity: capacity, pieceSize: kernels.pieceSize))
    return sizes.reduce(blocks) { $0 + kernels.set.memory(.statistics, samples: $1) }
  }

  private static func plans(
    _ program: Program, _ network: Network, taps: [Int], differentiable: Bool
  ) -> (schedule: PieceSchedule, memory: MemoryPlan) {
    let kept = TrainingKernels.kept(network, taps).map { program.kept[$0]! }
    // As TrainingPass numbers the losses.
    let lossInputs = (taps + [network.output]).map { program.kept[$0]! }
    let schedule = PieceSchedule(program, kept: kept)
    let purpose = MemoryPlan.Purpose(
      lossInputs: differentiable ? lossInputs : [], wantsParameterGradients: differentiable)
    return (schedule, MemoryPlan(program, schedule: schedule, kept: kept, purpose: purpose))
  }

  /// Runs the network on `images` (samples, height, width, channels); the returned pass holds logits and features until
  /// the next call. The weights are those that the kernels loaded last, and must be at `parameters`. Batch
  /// normalisation goes by `statistics`; dropout by `randomness`, and without it nothing is dropped.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>, statistics: StatisticsSource,
    randomness: Randomness? = nil
  ) -> TrainingPass {
    precondition(kernels.set.parameters == parameters, "the packed weights are not those of the parameters")
    let pass = pass(samples)
    pass.forward(images, parameters: parameters, statistics: statistics, randomness: randomness)
    return pass
  }

  /// With batch statistics, towards which the running ones at `statistics` move, unless that is nil.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>,
    statistics: UnsafeMutablePointer<Float>?, randomness: Randomness? = nil
  ) -> TrainingPass {
    forward(
      images, samples: samples, parameters: parameters, statistics: .batch(moving: statistics), randomness: randomness)
  }

  /// In evaluation mode: normalised by the running statistics `given`, which are constants to the backward pass;
  /// nothing is dropped.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>, given: UnsafePointer<Float>
  ) -> TrainingPass {
    forward(images, samples: samples, parameters: parameters, statistics: .given(given))
  }

  /// Normalised as `other` was, a pass of a network on the same kernels: samples do not depend on each other then.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>, like other: TrainingPass,
    randomness: Randomness? = nil
  ) -> TrainingPass {
    precondition(kernels.set.parameters == parameters, "the packed weights are not those of the parameters")
    let pass = pass(samples)
    pass.forward(
      images, parameters: parameters, statistics: .batch(moving: nil), like: other, randomness: randomness)
    return pass
  }

  /// What finds the images' gradient from this network's passes, in pieces of `pieceSize`. Nil where they do not keep
  /// what it takes. The kernels must have been made for input gradients.
  package func inputGradient(pieceSize: Int) -> InputGradient? {
    inputGradientPlan.map { InputGradient(kernels, $0, pieceSize: pieceSize) }
  }

  private var inputGradientPlan: InputGradientPlan? {
    InputGradientPlan(kernels.program, output: kernels.program.kept[kernels.network.output]!, memory: plan)
  }

  /// What that takes with kernels for pieces of `sizes`, without making it; nil where there can be none.
  package static func inputGradientMemory(
    _ kernels: TrainingKernels, taps: [Int], pieceSize: Int, sizes: Set<Int>
  ) -> MemoryUse? {
    let plan = plans(kernels.program, kernels.network, taps: taps, differentiable: true).memory
    let output = kernels.program.kept[kernels.network.output]!
    return InputGradientPlan(kernels.program, output: output, memory: plan).map { own in
      let image = Double(kernels.program.steps[0].output.bytes)
      return sizes.reduce(MemoryUse(own: Double(pieceSize) * (Double(own.bytes) + image))) {
        $0 + kernels.set.memory(.sample, samples: $1) + kernels.set.memory(.batch, samples: $1)
      }
    }
  }

  /// Makes the plan for batches of `samples`, so that no step has to.
  package func prepare(samples: Int) { _ = pass(samples) }

  private func pass(_ samples: Int) -> TrainingPass {
    if let pass = passes[samples] { return pass }
    precondition(samples > 0 && samples <= capacity, "a batch of \(samples) in a network for \(capacity)")
    let pass = TrainingPass(
      Pass(
        kernels.set, schedule: schedule, plan: plan, blocks: blocks, samples: samples, pieceSize: kernels.pieceSize),
      kernels, taps: taps)
    passes[samples] = pass
    return pass
  }
}
