import Kernels

/// A network in training mode for one batch size: BatchNorm with the batch's own statistics, forward and backward to the
/// parameters. Plans and memory are made in `init`; a pass allocates nothing.
package final class TrainingPass {
  package let samples: Int
  package let classes: Int
  private let architecture: Architecture
  private let taps: [Int]
  private let layers: [Layer]
  private let nodes: [NodeMemory]
  /// Where the nodes' memory lies; the pass keeps it alive as long as somebody may read logits or features.
  private let block: Tensor

  private enum Layer {
    case input
    case convolution(Convolution, BatchNorm, ConvolutionPlaces)
    case plain(PlainLayer)
  }

  /// Where a convolution's parameters and running statistics start in their blocks.
  private struct ConvolutionPlaces {
    var filters, weight, bias, mean, variance: Int
    var addend: Int?
  }

  private struct NodeMemory {
    var convolved, output, gradient, convolvedGradient, inputGradient, seed: UnsafeMutablePointer<Float>?
    var sources: GradientSources
  }

  init(
    _ architecture: Architecture, layout: ParameterLayout, memory: MemoryPlan, block: Tensor, samples: Int,
    taps: [Int], backend: ConvolutionBackend, differentiable: Bool, scratch: Scratch
  ) {
    self.architecture = architecture
    self.samples = samples
    self.taps = taps
    self.block = block
    classes = architecture.classes
    func place(_ slot: MemoryPlan.Slot) -> UnsafeMutablePointer<Float> { block.pointer + slot.offset * samples }
    nodes = memory.nodes.map { slots in
      NodeMemory(
        convolved: slots.convolved.map(place), output: place(slots.output), gradient: slots.gradient.map(place),
        convolvedGradient: slots.convolvedGradient.map(place), inputGradient: slots.inputGradient.map(place),
        seed: slots.seed.map(place),
        sources: GradientSources(slots.sources.map(place), seed: slots.seed.map(place)))
    }
    layers = architecture.nodes.map { node in
      let input = node.input >= 0 ? architecture.nodes[node.input].shape.withBatch(samples) : node.shape
      if let layer = PlainLayer(node, reading: input, layout: layout) { return .plain(layer) }
      guard case .convolution(let filter) = node.operation else { return .input }
      var passes: Convolution.Passes = differentiable ? [.forward, .backwardWeights] : .forward
      if differentiable, node.input > 0 { passes.insert(.backwardData) }
      return .convolution(
        Convolution(
          architecture.geometry(of: node, filter, batch: samples), backend: backend, passes: passes,
          scratch: scratch),
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
  package var featureCount: Int { taps.count }
  package func featureShape(_ index: Int) -> Shape { architecture.nodes[taps[index]].shape.withBatch(samples) }
  /// Where a loss writes its gradient with respect to the logits and to the features, before `backward`.
  package var logitsSeed: UnsafeMutablePointer<Float> { nodes[architecture.output].seed! }
  package func featureSeed(_ index: Int) -> UnsafeMutablePointer<Float> { nodes[taps[index]].seed! }

  /// Runs the network on `images` (samples, height, width, channels). `statistics` are the running statistics to move, nil
  /// to leave them.
  func forward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, statistics: UnsafeMutablePointer<Float>?
  ) {
    for (index, node) in architecture.nodes.enumerated() where index > 0 {
      let x = output(node.input, images)
      let y = nodes[index].output!
      switch layers[index] {
      case .input: break
      case .convolution(let convolution, let batchNorm, let places):
        let convolved = nodes[index].convolved!
        convolution.load(parameters + places.filters, for: .forward)
        convolution.forward(x, into: convolved)
        batchNorm.forward(
          convolved, weight: parameters + places.weight, bias: parameters + places.bias,
          running: statistics.map { ($0 + places.mean, $0 + places.variance) },
          addend: places.addend.map { output($0, images) }, into: y)
      case .plain(let layer): layer.forward(x, parameters: parameters, into: y)
      }
    }
  }

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
      let dy = memory.gradient!
      let seeded = featureSeeds || index == architecture.output
      switch layers[index] {
      case .input: break
      case .convolution(let convolution, let batchNorm, let places):
        let dConvolved = memory.convolvedGradient!
        memory.sources.withSources(seeded: seeded) {
          batchNorm.backward(
            sources: $0, y: memory.output!, x: memory.convolved!, masked: dy,
            weightGradient: gradients + places.weight, biasGradient: gradients + places.bias, into: dConvolved)
        }
        convolution.backward(dConvolved, x: x, intoWeights: gradients + places.filters)
        if let dx = memory.inputGradient {
          convolution.load(parameters + places.filters, for: .backwardData)
          convolution.backward(dConvolved, intoInput: dx)
        }
      case .plain(let layer):
        gather(index, seeded: seeded, maskedBy: layer.hasReLU ? memory.output : nil)
        layer.backward(dy, x: x, intoGradients: gradients)
        if let dx = memory.inputGradient { layer.backward(dy, parameters: parameters, intoInput: dx) }
      }
    }
  }

  /// dy = the sum of what reaches the node's output, where y > 0 if `maskedBy` is y.
  private func gather(_ index: Int, seeded: Bool, maskedBy y: UnsafeMutablePointer<Float>? = nil) {
    let count = samples * architecture.nodes[index].shape.sampleCount
    nodes[index].sources.withSources(seeded: seeded) {
      Elementwise.mask(sources: $0, y: y, count: count, into: nodes[index].gradient!)
    }
  }

  private func output(_ node: Int, _ images: UnsafePointer<Float>) -> UnsafePointer<Float> {
    node == 0 ? images : UnsafePointer(nodes[node].output!)
  }
}
