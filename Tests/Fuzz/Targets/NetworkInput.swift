import Execution
import Formats
import Graph
import Kernels
import Models

/// An ONNX file, read as a network; a small one also runs, forward and backward, in both modes.
struct NetworkInput {
  /// Of networks that run: what a reader may believe of a few bytes is far more than there is time for.
  static let (mostParameters, mostElements, mostOperations, mostNodes) = (1 << 16, 1 << 13, 1 << 22, 256)

  private let path: String

  init(_ input: [UInt8], in folder: Scratch) { path = folder.write("model.onnx", input) }

  func read() throws {
    let file = try GraphFile(path: path)
    let network = file.network
    let layout = ParameterLayout(network)
    guard layout.parameterCount <= Self.mostParameters, network.nodes.count <= Self.mostNodes,
      network.nodes.allSatisfy({ $0.shape.count <= Self.mostElements }), network.operations <= Self.mostOperations
    else { return }
    run(file, network, layout)
  }

  private func run(_ file: GraphFile, _ network: Network, _ layout: ParameterLayout) {
    let samples = 2
    let parameters = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    file.load(layout, parameters: parameters.pointer, statistics: statistics.pointer)
    let images = Tensor(count: samples * network.input.count)
    for index in 0..<images.count { images.pointer[index] = Float(index % 7) / 3 - 1 }

    let frozen = FrozenNetwork(
      network, layout: layout, backend: .onednn, differentiable: true, capacity: 1, scratch: Kernels.Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    _ = frozen.inputGradient(images.pointer, samples: 1) { _, gradient in
      gradient.update(repeating: 1, count: network.classes)
    }

    let taps = (try? network.tappedNodes(nil)) ?? []
    let kernels = TrainingKernels(network, layout: layout, taps: taps, backend: .onednn, scratch: Kernels.Scratch())
    kernels.load(parameters.pointer)
    let training = TrainingNetwork(kernels, taps: taps, capacity: samples, differentiable: true)
    let pass = training.forward(
      images.pointer, samples: samples, parameters: parameters.pointer,
      statistics: .batch(moving: statistics.pointer))
    pass.logitsGradient.update(repeating: 1, count: samples * network.classes)
    let gradients = Tensor(count: layout.parameterCount)
    pass.backward(
      images.pointer, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
  }
}
