import Kernels

/// A network in evaluation mode for one batch size: BatchNorm folded into the convolutions, bias, shortcut and ReLU fused
/// into them, backward to the input only. What the refinement, the evaluation and the `running` target run on.
final class FrozenPass {
  let samples: Int
  private let architecture: Architecture
  private let layers: [Layer]
  private let nodes: [NodeMemory]
  private var weightsVersion = -1

  private enum Layer {
    case input
    case convolution(Convolution, filters: Int, bias: Int, relu: Bool, addend: Int?)
    case plain(PlainLayer)

    /// Whether the output is zero where the gradient must be.
    var hasReLU: Bool {
      switch self {
      case .input: false
      case .convolution(_, _, _, let relu, _): relu
      case .plain(let layer): layer.hasReLU
      }
    }
  }

  private struct NodeMemory {
    var output, gradient, inputGradient, seed: UnsafeMutablePointer<Float>?
    /// All that reaches the output; and without the last one, which its first reader adds.
    var sources, earlierSources: GradientSources
    /// What zeroes the gradient where it is not above zero: the output of a layer with a ReLU.
    var mask: UnsafeMutablePointer<Float>?
    /// The node's first reader, whose backward pass is the last to reach it, where that adds the other sources and masks the
    /// sum before it stores it: no pass over memory is left to do.
    var maskingReader: Int?
  }

  init(
    _ architecture: Architecture, layout: ParameterLayout, memory: MemoryPlan, base: UnsafeMutablePointer<Float>,
    samples: Int, backend: ConvolutionBackend, differentiable: Bool, scratch: Scratch
  ) {
    self.architecture = architecture
    self.samples = samples
    func place(_ slot: MemoryPlan.Slot) -> UnsafeMutablePointer<Float> { base + slot.offset * samples }
    let layers = architecture.nodes.map { node -> Layer in
      let input = node.input >= 0 ? architecture.nodes[node.input].shape.withBatch(samples) : node.shape
      if let layer = PlainLayer(node, reading: input, layout: layout, backend: backend) { return .plain(layer) }
      guard case .convolution(let filter) = node.operation else { return .input }
      var fusion: Convolution.Fusion = .bias
      if filter.relu { fusion.insert(.relu) }
      if filter.addend != nil { fusion.insert(.addend) }
      return .convolution(
        Convolution(
          architecture.geometry(of: node, filter, batch: samples), backend: backend,
          passes: differentiable ? [.forward, .backwardData] : .forward, fusing: fusion, scratch: scratch),
        filters: layout.start(of: "\(filter.name).weight"),
        bias: layout.start(of: "\(filter.batchNorm).bias"), relu: filter.relu, addend: filter.addend)
    }
    self.layers = layers
    nodes = architecture.nodes.indices.map { index in
      let slots = memory.nodes[index]
      let sources = slots.sources.map(place)
      var node = NodeMemory(
        output: slots.output.map(place), gradient: slots.gradient.map(place),
        inputGradient: slots.inputGradient.map(place), seed: slots.seed.map(place),
        sources: GradientSources(sources, seed: slots.seed.map(place)),
        earlierSources: GradientSources(sources.dropLast(), seed: nil))
      if layers[index].hasReLU { node.mask = node.output }
      let firstReader = architecture.nodes.firstIndex { $0.input == index || $0.addend == index }
      if let firstReader, index > 0, node.seed == nil, architecture.nodes[firstReader].addend != index,
        case .convolution(let reader, _, _, _, _) = layers[firstReader]
      {
        node.maskingReader = reader.masksBackward ? firstReader : nil
      }
      return node
    }
  }

  var logits: UnsafeMutablePointer<Float> { nodes[architecture.output].output! }
  var logitsSeed: UnsafeMutablePointer<Float> { nodes[architecture.output].seed! }
  /// dx, (samples, height, width, channels), valid after `backward`.
  var inputGradient: UnsafeMutablePointer<Float> {
    nodes[architecture.nodes.firstIndex { $0.input == 0 }!].inputGradient!
  }
  func output(_ node: Int) -> UnsafeMutablePointer<Float> { nodes[node].output! }

  /// Packs the folded weights (laid out as the parameters) unless this version is packed already.
  func load(_ weights: UnsafePointer<Float>, version: Int) {
    guard version != weightsVersion else { return }
    weightsVersion = version
    for case .convolution(let convolution, let filters, _, _, _) in layers { convolution.load(weights + filters) }
  }

  func forward(_ images: UnsafePointer<Float>, weights: UnsafePointer<Float>) {
    for (index, node) in architecture.nodes.enumerated() where index > 0 {
      let x = node.input == 0 ? images : UnsafePointer(nodes[node.input].output!)
      let y = nodes[index].output!
      switch layers[index] {
      case .input: break
      case .convolution(let convolution, _, let bias, _, let addend):
        convolution.forward(x, bias: weights + bias, addend: addend.map { nodes[$0].output! }, into: y)
      case .plain(let layer): layer.forward(x, parameters: weights, into: y)
      }
    }
  }

  /// The input's gradient for the seed at the logits. Weight gradients are not computed: the refinement needs only dL/dx,
  /// and they would be a third of forward and backward together.
  func backward(weights: UnsafePointer<Float>) {
    for (index, shape) in architecture.nodes.enumerated().reversed() where index > 0 {
      let node = nodes[index]
      let dy = node.gradient!
      if node.maskingReader == nil {
        let count = samples * shape.shape.sampleCount
        node.sources.withSources(seeded: true) { Elementwise.mask(sources: $0, y: node.mask, count: count, into: dy) }
      }
      let input = nodes[shape.input]
      switch layers[index] {
      case .input: break
      case .convolution(let convolution, _, _, _, _) where input.maskingReader == index:
        input.earlierSources.withSources(seeded: true) {
          convolution.backward(dy, adding: $0, maskedBy: input.mask, intoInput: input.gradient!)
        }
      case .convolution(let convolution, _, _, _, _): convolution.backward(dy, intoInput: node.inputGradient!)
      case .plain(let layer): layer.backward(dy, parameters: weights, intoInput: node.inputGradient!)
      }
    }
  }
}
