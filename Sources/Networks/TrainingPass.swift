import Kernels

/// A network in training mode for one batch size: BatchNorm with the batch's own statistics, forward and backward to the
/// parameters, node by node and piece by piece (`PieceSchedule`). Plans and memory are made in `init`; a pass allocates
/// nothing.
package final class TrainingPass {
  package let samples: Int
  package let classes: Int
  private let architecture: Architecture
  private let taps: [Int]
  private let layers: [Layer]
  private let nodes: [NodeMemory]
  private let pieces: [Piece]
  private let schedule: PieceSchedule
  private let convolvedGradient: Tensor
  /// Behind a layer's gradients in their block; 0 for a layer without any.
  private let gradientEnds: [Int]
  /// Where the nodes' memory lies; the pass keeps it alive as long as somebody may read logits or features.
  private let block: Tensor

  private enum Layer {
    case input
    case convolution(BatchNorm, ConvolutionPlaces)
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
    var convolved, output, gradient, inputGradient, seed: UnsafeMutablePointer<Float>?
    /// Floats from a sample's output to the next; 0 where there is memory for one piece alone.
    var outputStride: Int
    var sources: GradientSources
  }

  /// Samples `first..<first + count`, and a plan for each convolution.
  private struct Piece {
    var first, count: Int
    var convolutions: [Convolution?]
  }

  init(
    _ convolutions: TrainingConvolutions, memory: MemoryPlan, block: Tensor, samples: Int, taps: [Int]
  ) {
    let (architecture, layout) = (convolutions.architecture, convolutions.layout)
    self.architecture = architecture
    self.samples = samples
    self.taps = taps
    self.block = block
    classes = architecture.classes
    schedule = PieceSchedule(architecture, batchStatistics: true, kept: taps + [architecture.output])
    convolvedGradient = convolutions.convolvedGradient
    gradientEnds = architecture.nodes.map { layout.end(of: $0) }
    pieces = stride(from: 0, to: samples, by: convolutions.pieceSize).map { first in
      let count = min(convolutions.pieceSize, samples - first)
      return Piece(first: first, count: count, convolutions: convolutions.plans(samples: count))
    }
    func place(_ slot: MemoryPlan.Slot) -> UnsafeMutablePointer<Float> { block.pointer + slot.offset * samples }
    nodes = zip(memory.nodes, architecture.nodes).map { slots, node in
      NodeMemory(
        size: node.shape.sampleCount, rows: node.shape.rows,
        convolved: slots.convolved.map(place),
        output: slots.output.map(place) ?? (node.isConvolution ? convolutions.transientOutput.pointer : nil),
        gradient: slots.gradient.map(place), inputGradient: slots.inputGradient.map(place),
        seed: slots.seed.map(place), outputStride: slots.output == nil ? 0 : node.shape.sampleCount,
        sources: GradientSources(slots.sources.map(place), seed: slots.seed.map(place)))
    }
    layers = architecture.nodes.map { node in
      let input = node.input >= 0 ? architecture.nodes[node.input].shape.withBatch(samples) : node.shape
      if let layer = PlainLayer(node, reading: input, layout: layout, backend: convolutions.backend) {
        return .plain(layer)
      }
      guard case .convolution(let filter) = node.operation else { return .input }
      return .convolution(
        BatchNorm(node.shape.withBatch(samples), relu: filter.relu),
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
  /// What the logits are read from, (samples, ...), valid after `forward`.
  package var lastFeatures: UnsafeMutablePointer<Float> { nodes[architecture.features].output! }
  package var lastFeaturesShape: Shape { architecture.nodes[architecture.features].shape.withBatch(samples) }
  package var featureCount: Int { taps.count }
  package func featureShape(_ index: Int) -> Shape { architecture.nodes[taps[index]].shape.withBatch(samples) }
  /// Where a loss writes its gradient with respect to the logits and to the features, before `backward`.
  package var logitsSeed: UnsafeMutablePointer<Float> { nodes[architecture.output].seed! }
  package func featureSeed(_ index: Int) -> UnsafeMutablePointer<Float> { nodes[taps[index]].seed! }

  // MARK: Forward

  /// Runs the network on `images` (samples, height, width, channels), with batch statistics or with given ones.
  func forward(_ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, statistics: StatisticsUse) {
    for (index, node) in architecture.nodes.enumerated() where index > 0 {
      let memory = nodes[index]
      if case .convolution(let batchNorm, _) = layers[index] { batchNorm.beginForward() }
      for piece in pieces {
        for finished in schedule.finished[index] { finish(finished, piece) }
        guard case .convolution(let batchNorm, _) = layers[index] else { continue }
        let convolved = memory.convolved! + piece.first * memory.size
        piece.convolutions[index]!.forward(output(node.input, of: piece, images), into: convolved)
        if statistics.measures { batchNorm.measure(convolved, rows: piece.count * memory.rows) }
      }
      switch layers[index] {
      case .input: break
      case .convolution(let batchNorm, let places):
        let (weight, bias) = (parameters + places.weight, parameters + places.bias)
        switch statistics {
        case .batch(let running):
          batchNorm.endForward(
            weight: weight, bias: bias, running: running.map { ($0 + places.mean, $0 + places.variance) })
        case .given(let given):
          batchNorm.take(
            weight: weight, bias: bias, mean: given + places.mean, variance: given + places.variance)
        }
      case .plain(let layer):
        layer.forward(output(node.input, images), parameters: parameters, into: memory.output!)
      }
    }
  }

  /// y = relu?(batchNorm(convolved), + addend) of a piece.
  private func finish(_ index: Int, _ piece: Piece) {
    guard case .convolution(let batchNorm, let places) = layers[index] else { return }
    let memory = nodes[index]
    batchNorm.forward(
      memory.convolved! + piece.first * memory.size, rows: piece.count * memory.rows,
      addend: places.addend.map { nodes[$0].output! + piece.first * nodes[$0].outputStride },
      into: memory.output! + piece.first * memory.outputStride)
  }

  // MARK: Backward

  /// The gradients of the loss whose gradient the seeds hold, for the pass `forward` ran last; overwrites `gradients`.
  /// The parameters must be those of that pass.
  /// Without `featureSeeds` only the seed of the logits counts. `finished` hears, layer by layer, how many of the gradients
  /// are final, from the first one on.
  package func backward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    featureSeeds: Bool, finished: (Int) -> Void = { _ in }
  ) {
    for (index, node) in architecture.nodes.enumerated().reversed() where index > 0 {
      let memory = nodes[index]
      switch layers[index] {
      case .input: break
      case .convolution(let batchNorm, let places):
        batchNorm.endBackward(weight: gradients + places.weight, bias: gradients + places.bias)
      case .plain(let layer):
        gather(
          index, seeded: featureSeeds || index == architecture.output,
          maskedBy: layer.hasReLU ? memory.output : nil)
        layer.backward(memory.gradient!, x: output(node.input, images), intoGradients: gradients)
        if let dx = memory.inputGradient { layer.backward(memory.gradient!, parameters: parameters, intoInput: dx) }
      }
      for finished in schedule.finished[index] {
        if case .convolution(let batchNorm, _) = layers[finished] { batchNorm.beginBackward() }
      }
      for piece in pieces {
        if case .convolution(let batchNorm, _) = layers[index] { differentiate(index, batchNorm, piece, images) }
        for finished in schedule.finished[index].reversed() { mask(finished, piece, seeded: featureSeeds) }
      }
      if case .convolution(_, let places) = layers[index] {
        pieces[0].convolutions[index]!.weightGradient(into: gradients + places.filters)
        if let last = pieces.last, last.count < pieces[0].count {
          last.convolutions[index]!.weightGradient(adding: true, into: gradients + places.filters)
        }
      }
      if gradientEnds[index] > 0 { finished(gradientEnds[index]) }
    }
  }

  /// From the masked gradient of a convolution's output to those of its weights and its input.
  private func differentiate(_ index: Int, _ batchNorm: BatchNorm, _ piece: Piece, _ images: UnsafePointer<Float>) {
    let memory = nodes[index]
    let input = architecture.nodes[index].input
    let start = piece.first * memory.size
    if schedule.isTransient[input] { finish(input, piece) }
    let dConvolved = convolvedGradient.pointer
    batchNorm.backward(
      memory.gradient! + start, x: memory.convolved! + start, rows: piece.count * memory.rows, into: dConvolved)
    let convolution = piece.convolutions[index]!
    // A plan of a size of its own begins a sum of its own.
    convolution.backward(
      dConvolved, x: output(input, of: piece, images), isFirst: piece.first == 0 || piece.count < pieces[0].count)
    guard let dx = memory.inputGradient else { return }
    convolution.backward(dConvolved, intoInput: dx + piece.first * nodes[input].size)
  }

  /// The gradient of a convolution's output, where the output is above zero, and its part of BatchNorm's sums.
  private func mask(_ index: Int, _ piece: Piece, seeded: Bool) {
    guard case .convolution(let batchNorm, _) = layers[index] else { return }
    let memory = nodes[index]
    let start = piece.first * memory.size
    memory.sources.withSources(seeded: seeded, from: start) {
      batchNorm.mask(
        sources: $0, y: memory.output! + piece.first * memory.outputStride, x: memory.convolved! + start,
        rows: piece.count * memory.rows, into: memory.gradient! + start)
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

  private func output(_ node: Int, of piece: Piece, _ images: UnsafePointer<Float>) -> UnsafePointer<Float> {
    node == 0
      ? images + piece.first * nodes[0].size
      : UnsafePointer(nodes[node].output!) + piece.first * nodes[node].outputStride
  }
}
