import Kernels

/// A network in training mode for one batch size: BatchNorm with the batch's own statistics, forward and backward to the
/// parameters, node by node and piece by piece (`PieceSchedule`). Plans and memory are made in `init`; a pass allocates
/// nothing.
package final class TrainingPass {
  /// Samples that run together: what a convolution reads and writes stays in the second-level cache.
  package static let pieceSize = 8

  package let samples: Int
  package let classes: Int
  private let architecture: Architecture
  private let taps: [Int]
  private let layers: [Layer]
  private let nodes: [NodeMemory]
  private let pieces: [Piece]
  private let schedule: PieceSchedule
  /// Where the nodes' memory lies; the pass keeps it alive as long as somebody may read logits or features.
  private let block: Tensor

  private enum Layer {
    case input
    /// The plan for the weights' gradient, of the whole batch; nil where no backward pass is wanted.
    case convolution(Convolution?, BatchNorm, ConvolutionPlaces)
    case plain(PlainLayer)
  }

  /// Where a convolution's parameters and running statistics start in their blocks.
  private struct ConvolutionPlaces {
    var filters, weight, bias, mean, variance: Int
    var addend: Int?
  }

  private struct NodeMemory {
    /// Floats of a sample, and positions.
    var size, rows: Int
    var convolved, output, gradient, convolvedGradient, inputGradient, seed: UnsafeMutablePointer<Float>?
    var sources: GradientSources
  }

  /// Samples `first..<first + count`, and a plan for each convolution.
  private struct Piece {
    var first, count: Int
    var convolutions: [Convolution?]
  }

  init(
    _ convolutions: TrainingConvolutions, memory: MemoryPlan, block: Tensor, samples: Int, taps: [Int],
    differentiable: Bool
  ) {
    let (architecture, layout) = (convolutions.architecture, convolutions.layout)
    self.architecture = architecture
    self.samples = samples
    self.taps = taps
    self.block = block
    classes = architecture.classes
    schedule = PieceSchedule(architecture, batchStatistics: true)
    pieces = stride(from: 0, to: samples, by: Self.pieceSize).map { first in
      let count = min(Self.pieceSize, samples - first)
      return Piece(first: first, count: count, convolutions: convolutions.plans(samples: count))
    }
    func place(_ slot: MemoryPlan.Slot) -> UnsafeMutablePointer<Float> { block.pointer + slot.offset * samples }
    nodes = zip(memory.nodes, architecture.nodes).map { slots, node in
      NodeMemory(
        size: node.shape.sampleCount, rows: node.shape.rows,
        convolved: slots.convolved.map(place), output: place(slots.output), gradient: slots.gradient.map(place),
        convolvedGradient: slots.convolvedGradient.map(place), inputGradient: slots.inputGradient.map(place),
        seed: slots.seed.map(place),
        sources: GradientSources(slots.sources.map(place), seed: slots.seed.map(place)))
    }
    layers = architecture.nodes.map { node in
      let input = node.input >= 0 ? architecture.nodes[node.input].shape.withBatch(samples) : node.shape
      if let layer = PlainLayer(node, reading: input, layout: layout) { return .plain(layer) }
      guard case .convolution(let filter) = node.operation else { return .input }
      let weights =
        differentiable
        ? Convolution(
          architecture.geometry(of: node, filter, batch: samples), backend: convolutions.backend,
          passes: .backwardWeights, scratch: convolutions.scratch) : nil
      return .convolution(
        weights, BatchNorm(node.shape.withBatch(samples), relu: filter.relu),
        ConvolutionPlaces(
          filters: layout.start(of: "\(filter.name).weight"),
          weight: layout.start(of: "\(filter.batchNorm).weight"),
          bias: layout.start(of: "\(filter.batchNorm).bias"),
          mean: layout.start(ofStatistic: "\(filter.batchNorm).running_mean"),
          variance: layout.start(ofStatistic: "\(filter.batchNorm).running_var"), addend: filter.addend))
    }
  }

  /// (samples, classes), valid after `forward`.
  package var logits: UnsafeMutablePointer<Float> { nodes[architecture.output].output! }
  /// The output of tap `index`, (samples, height, width, channels), valid after `forward`.
  package func feature(_ index: Int) -> UnsafeMutablePointer<Float> { nodes[taps[index]].output! }
  package var featureCount: Int { taps.count }
  package func featureShape(_ index: Int) -> Shape { architecture.nodes[taps[index]].shape.withBatch(samples) }
  /// Where a loss writes its gradient with respect to the logits and to the features, before `backward`.
  package var logitsSeed: UnsafeMutablePointer<Float> { nodes[architecture.output].seed! }
  package func featureSeed(_ index: Int) -> UnsafeMutablePointer<Float> { nodes[taps[index]].seed! }

  // MARK: Forward

  /// Runs the network on `images` (samples, height, width, channels). `statistics` are the running statistics to move, nil
  /// to leave them.
  func forward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, statistics: UnsafeMutablePointer<Float>?
  ) {
    for (index, node) in architecture.nodes.enumerated() where index > 0 {
      let memory = nodes[index]
      let x = output(node.input, images)
      let inputSize = nodes[node.input].size
      if case .convolution(_, let batchNorm, _) = layers[index] { batchNorm.beginForward() }
      for piece in pieces {
        for finished in schedule.finished[index] { finish(finished, piece) }
        guard case .convolution(_, let batchNorm, _) = layers[index] else { continue }
        let convolved = memory.convolved! + piece.first * memory.size
        piece.convolutions[index]!.forward(x + piece.first * inputSize, into: convolved)
        batchNorm.measure(convolved, rows: piece.count * memory.rows)
      }
      switch layers[index] {
      case .input: break
      case .convolution(_, let batchNorm, let places):
        batchNorm.endForward(
          weight: parameters + places.weight, bias: parameters + places.bias,
          running: statistics.map { ($0 + places.mean, $0 + places.variance) })
      case .plain(let layer): layer.forward(x, parameters: parameters, into: memory.output!)
      }
    }
  }

  /// y = relu?(batchNorm(convolved), + addend) of a piece.
  private func finish(_ index: Int, _ piece: Piece) {
    guard case .convolution(_, let batchNorm, let places) = layers[index] else { return }
    let memory = nodes[index]
    let start = piece.first * memory.size
    batchNorm.forward(
      memory.convolved! + start, rows: piece.count * memory.rows,
      addend: places.addend.map { nodes[$0].output! + start }, into: memory.output! + start)
  }

  // MARK: Backward

  /// The gradients of the loss whose gradient the seeds hold, for the pass `forward` ran last; overwrites `gradients`.
  /// Without `featureSeeds` only the seed of the logits counts.
  package func backward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    featureSeeds: Bool
  ) {
    for index in architecture.nodes.indices.reversed() where index > 0 {
      let node = architecture.nodes[index]
      let memory = nodes[index]
      let x = output(node.input, images)
      switch layers[index] {
      case .input: break
      case .convolution(_, let batchNorm, let places):
        batchNorm.endBackward(weight: gradients + places.weight, bias: gradients + places.bias)
      case .plain(let layer):
        gather(
          index, seeded: featureSeeds || index == architecture.output,
          maskedBy: layer.hasReLU ? memory.output : nil)
        layer.backward(memory.gradient!, x: x, intoGradients: gradients)
        if let dx = memory.inputGradient { layer.backward(memory.gradient!, parameters: parameters, intoInput: dx) }
      }
      for finished in schedule.finished[index] {
        if case .convolution(_, let batchNorm, _) = layers[finished] { batchNorm.beginBackward() }
      }
      for piece in pieces {
        if case .convolution(_, let batchNorm, _) = layers[index] { differentiate(index, batchNorm, piece) }
        for finished in schedule.finished[index].reversed() { mask(finished, piece, seeded: featureSeeds) }
      }
      if case .convolution(let weights?, _, let places) = layers[index] {
        weights.backward(memory.convolvedGradient!, x: x, intoWeights: gradients + places.filters)
      }
    }
  }

  /// From the masked gradient of a convolution's output to that of its input.
  private func differentiate(_ index: Int, _ batchNorm: BatchNorm, _ piece: Piece) {
    let memory = nodes[index]
    let start = piece.first * memory.size
    let dConvolved = memory.convolvedGradient! + start
    batchNorm.backward(
      memory.gradient! + start, x: memory.convolved! + start, rows: piece.count * memory.rows, into: dConvolved)
    guard let dx = memory.inputGradient else { return }
    piece.convolutions[index]!.backward(
      dConvolved, intoInput: dx + piece.first * nodes[architecture.nodes[index].input].size)
  }

  /// The gradient of a convolution's output, where the output is above zero, and its part of BatchNorm's sums.
  private func mask(_ index: Int, _ piece: Piece, seeded: Bool) {
    guard case .convolution(_, let batchNorm, _) = layers[index] else { return }
    let memory = nodes[index]
    let start = piece.first * memory.size
    memory.sources.withSources(seeded: seeded, from: start) {
      batchNorm.mask(
        sources: $0, y: memory.output! + start, x: memory.convolved! + start, rows: piece.count * memory.rows,
        into: memory.gradient! + start)
    }
  }

  /// dy = the sum of what reaches a plain layer's output, where y > 0 if `maskedBy` is y.
  private func gather(_ index: Int, seeded: Bool, maskedBy y: UnsafeMutablePointer<Float>?) {
    nodes[index].sources.withSources(seeded: seeded) {
      Elementwise.mask(sources: $0, y: y, count: samples * nodes[index].size, into: nodes[index].gradient!)
    }
  }

  private func output(_ node: Int, _ images: UnsafePointer<Float>) -> UnsafePointer<Float> {
    node == 0 ? images : UnsafePointer(nodes[node].output!)
  }
}
