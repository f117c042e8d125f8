import Kernels

/// A network in training mode for any batch up to a capacity: a plan per batch size, made when that size comes for the
/// first time, all in one block of memory.
package final class TrainingNetwork {
  private let taps: [Int]
  private let memory: MemoryPlan
  private let block: Tensor
  private let convolutions: TrainingConvolutions
  private let capacity: Int
  private var passes: [Int: TrainingPass] = [:]

  /// `differentiable`: keep what the backward pass reads; otherwise only logits and the taps' features survive a pass.
  /// The network is that of `convolutions`.
  package init(_ convolutions: TrainingConvolutions, taps: [Int], capacity: Int, differentiable: Bool) {
    (self.convolutions, self.taps) = (convolutions, taps)
    self.capacity = capacity
    memory = Self.memory(convolutions.architecture, taps: taps, differentiable: differentiable)
    block = Tensor(count: memory.size * capacity)
  }

  /// Bytes of the intermediates of such a network, without making one; in floating point, since a configuration may
  /// ask for more than an integer holds.
  package static func bytes(_ architecture: Architecture, taps: [Int], capacity: Int, differentiable: Bool) -> Double {
    Double(memory(architecture, taps: taps, differentiable: differentiable).size) * Double(capacity) * 4
  }

  private static func memory(_ architecture: Architecture, taps: [Int], differentiable: Bool) -> MemoryPlan {
    MemoryPlan(architecture, taps: taps, for: differentiable ? [.batchStatistics, .backward] : .batchStatistics)
  }

  /// Runs the network with batch statistics on `images` (samples, height, width, channels); the returned pass holds logits
  /// and features until the next call. Filters are those that `convolutions` loaded last, everything else is read from
  /// `parameters`. `statistics`: the running statistics to move, nil to leave them.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>,
    statistics: UnsafeMutablePointer<Float>?
  ) -> TrainingPass {
    forward(images, samples: samples, parameters: parameters, statistics: .batch(moving: statistics))
  }

  /// As above in evaluation mode: normalised by the running statistics `given`, which are constants to the backward pass.
  package func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>, given: UnsafePointer<Float>
  ) -> TrainingPass {
    forward(images, samples: samples, parameters: parameters, statistics: .given(given))
  }

  private func forward(
    _ images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>, statistics: StatisticsUse
  ) -> TrainingPass {
    precondition(convolutions.hasLoaded(parameters), "the filters are not those of the parameters")
    let pass = plan(samples)
    pass.forward(images, parameters: parameters, statistics: statistics)
    return pass
  }

  /// Makes the plan for batches of `samples`, so that no step has to.
  package func prepare(samples: Int) { _ = plan(samples) }

  private func plan(_ samples: Int) -> TrainingPass {
    if let pass = passes[samples] { return pass }
    precondition(samples > 0 && samples <= capacity, "a batch of \(samples) in a network for \(capacity)")
    let pass = TrainingPass(
      convolutions, memory: memory, block: block, samples: samples, taps: taps)
    passes[samples] = pass
    return pass
  }
}

/// What BatchNorm normalises by.
enum StatisticsUse {
  /// The batch's own, towards which the running ones move, where there are any.
  case batch(moving: UnsafeMutablePointer<Float>?)
  /// Running ones, as in evaluation mode.
  case given(UnsafePointer<Float>)

  var measures: Bool { if case .batch = self { true } else { false } }
}
