import Kernels

/// A network in evaluation mode (weights frozen, BatchNorm on running statistics), so samples do not depend on their batch
/// mates and any number of them runs in pieces that stay in the cache.
package final class FrozenNetwork {
  /// Samples that run together (docs/PERFORMANCE.md, "Tried").
  package static let pieceSize = 4

  package let classes: Int
  private let architecture: Architecture
  private let layout: ParameterLayout
  private let backend: ConvolutionBackend
  private let differentiable: Bool
  private let memory: MemoryPlan
  private let block: Tensor
  private let scratch: Scratch
  private let weights: Tensor
  private let folded: [FoldedConvolution]
  private var version = 0
  private var passes: [Int: FrozenPass] = [:]

  /// Where a convolution's parameters and running statistics start in their blocks, and how large its filters are.
  private struct FoldedConvolution {
    var filters, weight, bias, mean, variance: Int
    var size, channels: Int
  }

  /// `differentiable`: plan the backward pass to the input; without it only `logits` and `features` can be asked for.
  /// `capacity`: of fewer samples than a piece, how many there are at most.
  package init(
    _ architecture: Architecture, layout: ParameterLayout, backend: ConvolutionBackend, differentiable: Bool,
    taps: [Int] = [], capacity: Int = pieceSize, scratch: Scratch
  ) {
    // Branches are for training alone.
    let architecture = architecture.trunk
    (self.architecture, self.layout, self.backend) = (architecture, layout, backend)
    (self.differentiable, self.scratch, classes) = (differentiable, scratch, architecture.classes)
    memory = MemoryPlan(
      architecture, taps: differentiable ? [] : taps, for: differentiable ? [.backward, .inputGradient] : [])
    block = Tensor(count: memory.size * min(capacity, Self.pieceSize))
    weights = Tensor(count: layout.parameterCount)
    folded = architecture.nodes.compactMap { node in
      guard case .convolution(let filter) = node.operation else { return nil }
      return FoldedConvolution(
        filters: layout.start(of: "\(filter.name).weight"), weight: layout.start(of: "\(filter.batchNorm).weight"),
        bias: layout.start(of: "\(filter.batchNorm).bias"),
        mean: layout.start(ofStatistic: "\(filter.batchNorm).running_mean"),
        variance: layout.start(ofStatistic: "\(filter.batchNorm).running_var"),
        size: architecture.nodes[node.input].shape.channels * filter.kernel * filter.kernel,
        channels: node.shape.channels)
    }
  }

  /// Bytes of a differentiable one with plans for the pieces of `sizes` samples, without making it.
  package static func bytes(
    _ architecture: Architecture, layout: ParameterLayout, sizes: Set<Int>, capacity: Int = pieceSize
  ) -> Double {
    let memory = MemoryPlan(architecture.trunk, taps: [], for: [.backward, .inputGradient])
    let pieces = Set(sizes.flatMap { pieceSizes(of: $0, atMost: pieceSize) })
    // Folded weights; and for each size of a piece packed weights of both directions and their order.
    let weights = Double(layout.parameterCount) * Double(1 + 4 * pieces.count)
    return 4 * (Double(memory.size) * Double(min(capacity, pieceSize)) + weights)
  }

  /// The same of one for evaluation, with plans for whole pieces and one other size.
  package static func bytes(_ architecture: Architecture, layout: ParameterLayout) -> Double {
    let memory = MemoryPlan(architecture.trunk, taps: [], for: [])
    return 4 * (Double(memory.size) * Double(pieceSize) + Double(layout.parameterCount) * (1 + 2 * 2))
  }

  package var input: Shape { architecture.input }

  /// Takes the weights and running statistics to work with, until the next call: once per shard and step.
  package func fold(parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>) {
    weights.pointer.update(from: parameters, count: layout.parameterCount)
    for convolution in folded {
      BatchNorm.fold(
        filters: parameters + convolution.filters, size: convolution.size, channels: convolution.channels,
        weight: parameters + convolution.weight, bias: parameters + convolution.bias,
        mean: statistics + convolution.mean, variance: statistics + convolution.variance,
        intoFilters: weights.pointer + convolution.filters, intoBias: weights.pointer + convolution.bias)
    }
    version += 1
  }

  /// Makes the plans for the pieces of `samples` samples, so that no step has to.
  package func prepare(samples: Int) {
    for piece in pieceSizes(of: samples, atMost: Self.pieceSize).sorted() { _ = plan(piece) }
  }

  /// Logits (samples, classes) of at most `pieceSize` samples, valid until the next call.
  package func logits(_ images: UnsafePointer<Float>, samples: Int) -> UnsafeMutablePointer<Float> {
    let pass = plan(samples)
    pass.forward(images, weights: weights.pointer)
    return pass.logits
  }

  /// Output of a node of the piece that ran last, with `samples` samples.
  package func output(_ node: Int, samples: Int) -> UnsafeMutablePointer<Float> { plan(samples).output(node) }

  /// Loss and input gradient of at most `pieceSize` samples: `seed` gets the logits and where to write their gradient.
  package func inputGradient(
    _ images: UnsafePointer<Float>, samples: Int,
    seed: (_ logits: UnsafeMutablePointer<Float>, _ gradient: UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafeMutablePointer<Float> {
    let pass = plan(samples)
    pass.forward(images, weights: weights.pointer)
    seed(pass.logits, pass.logitsSeed)
    pass.backward(weights: weights.pointer)
    return pass.inputGradient
  }

  private func plan(_ samples: Int) -> FrozenPass {
    precondition(samples > 0 && samples <= Self.pieceSize, "a piece of \(samples)")
    let pass: FrozenPass
    if let known = passes[samples] {
      pass = known
    } else {
      pass = FrozenPass(
        architecture, layout: layout, memory: memory, base: block.pointer, samples: samples, backend: backend,
        differentiable: differentiable, scratch: scratch)
      passes[samples] = pass
    }
    pass.load(weights.pointer, version: version)
    return pass
  }
}
