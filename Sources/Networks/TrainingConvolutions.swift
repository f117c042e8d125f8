import Kernels

/// The convolutions that networks in training mode run piece by piece, with their packed weights: a set of plans for each
/// size of a piece that comes up. Networks with the same weights share it, so that each weight is packed once a step.
package final class TrainingConvolutions {
  /// Samples that run together: what a convolution reads and writes stays in the second-level cache.
  package static let pieceSize = 8
  let pieceSize: Int

  package let architecture: Architecture
  let layout: ParameterLayout
  let backend: ConvolutionBackend
  let scratch: Scratch
  /// For one piece of any convolution: an output that is transient, and the gradient before BatchNorm.
  let transientOutput, convolvedGradient: Tensor
  /// Where each node's filters start in the parameters; 0 for what is no convolution.
  private let filters: [Int]
  private var parameters: UnsafePointer<Float>?
  private var plans: [Int: [Convolution?]] = [:]

  package init(
    _ architecture: Architecture, layout: ParameterLayout, backend: ConvolutionBackend, scratch: Scratch,
    pieceSize: Int = TrainingConvolutions.pieceSize
  ) {
    self.pieceSize = pieceSize
    (self.architecture, self.layout, self.backend, self.scratch) = (architecture, layout, backend, scratch)
    filters = architecture.nodes.map { node in
      guard case .convolution(let filter) = node.operation else { return 0 }
      return layout.start(of: "\(filter.name).weight")
    }
    let largest = architecture.nodes.filter(\.isConvolution).map(\.shape.sampleCount).max() ?? 0
    transientOutput = Tensor(count: largest * pieceSize)
    convolvedGradient = Tensor(count: largest * pieceSize)
  }

  /// Bytes of such convolutions with plans for batches of `sizes`, without making them.
  package static func bytes(_ architecture: Architecture, layout: ParameterLayout, sizes: Set<Int>) -> Double {
    let pieces = Set(sizes.flatMap { pieceSizes(of: $0, atMost: pieceSize) })
    let largest = architecture.nodes.map(\.shape.sampleCount).max() ?? 0
    // For each size of a piece: packed weights of both directions and their order; the weights' gradient, its sum and order.
    return 4 * (Double(7 * pieces.count * layout.parameterCount) + Double(2 * largest * pieceSize))
  }

  /// Packs the filters of `parameters`, which must stay as they are until the next call: once a step.
  package func load(_ parameters: UnsafePointer<Float>) {
    self.parameters = parameters
    for set in plans.values { pack(set) }
  }

  /// Whether a network may run with these filters and `parameters` for the rest.
  func hasLoaded(_ parameters: UnsafePointer<Float>) -> Bool {
    self.parameters == parameters || !architecture.nodes.contains(where: \.isConvolution)
  }

  /// A plan a node, nil for what is no convolution: forward without fusion, backward to the weights and to the input.
  func plans(samples: Int) -> [Convolution?] {
    if let known = plans[samples] { return known }
    let made = architecture.nodes.map { node -> Convolution? in
      guard case .convolution(let filter) = node.operation else { return nil }
      return Convolution(
        architecture.geometry(of: node, filter, batch: samples), backend: backend,
        passes: node.input > 0 ? [.forward, .backwardWeights, .backwardData] : [.forward, .backwardWeights],
        scratch: scratch)
    }
    plans[samples] = made
    pack(made)
    return made
  }

  private func pack(_ set: [Convolution?]) {
    guard let parameters else { return }
    for (convolution, start) in zip(set, filters) { convolution?.load(parameters + start) }
  }
}
