import Kernels

/// A network in training mode for any batch up to a capacity: a plan per batch size, made when that size comes for the
/// first time, all in one block of memory.
package final class TrainingNetwork {
  private let architecture: Architecture
  private let layout: ParameterLayout
  private let taps: [Int]
  private let backend: ConvolutionBackend
  private let differentiable: Bool
  private let memory: MemoryPlan
  private let block: Tensor
  private let scratch: Scratch
  private let capacity: Int
  private var passes: [Int: TrainingPass] = [:]

  /// `differentiable`: keep what the backward pass reads; otherwise only logits and the taps' features survive a pass.
  package init(
    _ architecture: Architecture, layout: ParameterLayout, taps: [Int], capacity: Int, backend: ConvolutionBackend,
    differentiable: Bool, scratch: Scratch
  ) {
    (self.architecture, self.layout, self.taps, self.backend) = (architecture, layout, taps, backend)
    (self.differentiable, self.scratch, self.capacity) = (differentiable, scratch, capacity)
    memory = MemoryPlan(
      architecture, taps: taps, for: differentiable ? [.batchStatistics, .backward] : .batchStatistics)
    block = Tensor(count: memory.size * capacity)
  }

  /// Bytes of the intermediates of such a network, without making one; in floating point, since a configuration may
  /// ask for more than an integer holds.
  package static func bytes(_ architecture: Architecture, taps: [Int], capacity: Int, differentiable: Bool) -> Double {
    let memory = MemoryPlan(
      architecture, taps: taps, for: differentiable ? [.batchStatistics, .backward] : .batchStatistics)
    return Double(memory.size) * Double(capacity) * 4
  }

  /// Runs the network with batch statistics on `images` (samples, height, width, channels); the returned pass holds logits
  /// and features until the next call. `statistics`: the running statistics to move, nil to leave them.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>,
    statistics: UnsafeMutablePointer<Float>?
  ) -> TrainingPass {
    let pass = plan(samples)
    pass.forward(images, parameters: parameters, statistics: statistics)
    return pass
  }

  private func plan(_ samples: Int) -> TrainingPass {
    if let pass = passes[samples] { return pass }
    precondition(samples > 0 && samples <= capacity, "a batch of \(samples) in a network for \(capacity)")
    let pass = TrainingPass(
      architecture, layout: layout, memory: memory, block: block, samples: samples, taps: taps, backend: backend,
      differentiable: differentiable, scratch: scratch)
    passes[samples] = pass
    return pass
  }
}
