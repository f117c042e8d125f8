import Execution
import Graph
import Kernels
import Models
import TestSupport
import Testing

/// A multilayer perceptron against PyTorch, in both forms of the network. Sums of at most 192 products in float32 leave
/// about 1e-6; a wrong order of the flattened input leaves 1.
@Suite struct `Multilayer perceptrons` {
  static let tolerance = 1e-5

  private func load() throws -> (golden: Golden, network: LoadedNetwork) {
    let golden = try Golden(fixture: "mlp")
    return (golden, try LoadedNetwork(golden, kind: .mlp, shortcut: .projection, hidden: [32, 24]))
  }

  private func expect(_ ours: UnsafePointer<Float>, is name: String, of golden: Golden) throws {
    let reference = try golden.channelsLast(name)
    let distance = Distance.maximum(UnsafeBufferPointer(start: ours, count: reference.count), reference)
    #expect(distance < Self.tolerance, "\(name)")
  }

  @Test func `training mode gives PyTorch's logits, hidden layers, loss and gradients`() throws {
    let (golden, network) = try load()
    let kernels = TrainingKernels(
      network.graph, layout: network.layout, taps: try network.graph.tappedNodes(nil), backend: .onednn,
      scratch: Scratch())
    kernels.load(network.parameters.pointer)
    let training = TrainingNetwork(
      kernels, taps: try network.graph.tappedNodes(nil), capacity: network.samples, differentiable: true)
    let pass = training.forward(
      network.images, samples: network.samples, parameters: network.parameters.pointer,
      statistics: .batch(moving: network.statistics.pointer))
    try expect(pass.logits, is: "logits", of: golden)
    #expect(pass.featureCount == 2)
    for index in 0..<2 { try expect(pass.feature(index), is: "feature\(index)", of: golden) }
    let loss =
      CrossEntropy(classes: pass.classes)(
        logits: pass.logits, labels: network.labels, samples: network.samples,
        scale: 1 / Double(network.samples),
        gradient: pass.logitsGradient) / Double(network.samples)
    #expect(abs(loss - (try golden.scalar("loss"))) < Self.tolerance * loss)
    let gradients = Tensor(count: network.layout.parameterCount)
    pass.backward(
      network.images, parameters: network.parameters.pointer, gradients: gradients.pointer,
      throughFeatures: false)
    #expect(network.layout.parameters.count == 6)
    for entry in network.layout.parameters {
      try expect(gradients.pointer + entry.range.lowerBound, is: "grad.\(entry.name)", of: golden)
    }
  }

  @Test func `evaluation mode gives the same logits and hidden layers`() throws {
    let (golden, network) = try load()
    let taps = try network.graph.tappedNodes(nil)
    let frozen = FrozenNetwork(
      network.graph, layout: network.layout, backend: .onednn, differentiable: false, taps: taps,
      scratch: Scratch())
    frozen.fold(parameters: network.parameters.pointer, statistics: network.statistics.pointer)
    let outputs = network.outputs(of: frozen, at: taps)
    try expect(outputs[0], is: "logits", of: golden)
    for index in taps.indices { try expect(outputs[1 + index], is: "feature\(index)", of: golden) }
  }

  @Test func `the gradient with respect to the input is PyTorch's`() throws {
    let (golden, network) = try load()
    let frozen = FrozenNetwork(
      network.graph, layout: network.layout, backend: .onednn, differentiable: true, scratch: Scratch()
    )
    frozen.fold(parameters: network.parameters.pointer, statistics: network.statistics.pointer)
    var gradient: [Float] = []
    network.forEachPiece { images, labels, count in
      let dx = frozen.inputGradient(images, samples: count) { logits, seed in
        CrossEntropy(classes: frozen.classes)(
          logits: logits, labels: labels, samples: count, scale: 1 / Double(network.samples), gradient: seed)
      }
      gradient += UnsafeBufferPointer(start: dx, count: count * network.graph.input.count)
    }
    try expect(gradient, is: "dx", of: golden)
  }
}
