import Execution
import Formats
import Graph
import Kernels
import Models
import TestSupport
import Testing

/// Networks read from ONNX files against PyTorch in double precision (make_onnx.py): logits within 1e-4 of the largest,
/// gradients within 1e-3 of the largest of all parameters'.
@Suite struct `Networks from ONNX files` {
  static let names = ["preactivation", "squeeze", "densenet", "convnext", "attention"]

  private func load(_ name: String) throws -> (file: GraphFile, golden: Golden) {
    (try GraphFile(path: "\(PackageRoot.path)/Tests/Fixtures/\(name).onnx"), try Golden(fixture: "\(name)_onnx"))
  }

  private struct Weights {
    let layout: ParameterLayout
    let parameters, statistics: Tensor

    init(_ file: GraphFile) {
      layout = ParameterLayout(file.network)
      parameters = Tensor(count: layout.parameterCount)
      statistics = Tensor(count: layout.statisticCount)
      file.load(layout, parameters: parameters.pointer, statistics: statistics.pointer)
    }
  }

  @Test(arguments: names)
  func `keep PyTorch's names of all parameters`(name: String) throws {
    let (file, golden) = try load(name)
    let names = ParameterLayout(file.network).parameters.map(\.name)
    let expected = golden.file.tensors.map(\.name).filter { $0.hasPrefix("train.grad.") }.map {
      String($0.dropFirst(11))
    }
    #expect(Set(names) == Set(expected))
    #expect(file.network.classes == 5 && file.network.input == SampleShape(3, 16, 16))
    for entry in ParameterLayout(file.network).parameters {
      #expect(golden.shape("train.grad.\(entry.name)").reduce(1, *) == entry.range.count, "\(entry.name)")
    }
  }

  @Test(arguments: names)
  func `give PyTorch's logits and input gradients in evaluation mode`(name: String) throws {
    let (file, golden) = try load(name)
    let weights = Weights(file)
    let frozen = FrozenNetwork(
      file.network, layout: weights.layout, backend: .onednn, differentiable: true, scratch: Scratch())
    frozen.fold(parameters: weights.parameters.pointer, statistics: weights.statistics.pointer)
    let images = try golden.channelsLast("x")
    let seed = try golden.floats("seed")
    let size = file.network.input.count
    var logits: [Float] = []
    var gradient: [Float] = []
    for first in stride(from: 0, to: 5, by: frozen.pieceSize) {
      let count = min(frozen.pieceSize, 5 - first)
      let dx = images.withUnsafeBufferPointer { images in
        frozen.inputGradient(images.baseAddress! + first * size, samples: count) { ours, gradient in
          logits += UnsafeBufferPointer(start: ours, count: count * 5)
          for index in 0..<count * 5 { gradient[index] = seed[first * 5 + index] }
        }
      }
      gradient += UnsafeBufferPointer(start: dx, count: count * size)
    }
    #expect(Distance.maximum(logits, try golden.floats("eval.logits")) < 1e-4)
    #expect(Distance.maximum(gradient, try golden.channelsLast("eval.dx")) < 1e-3)
  }

  @Test(arguments: names, [2, 8])
  func `give PyTorch's logits, gradients and statistics in training mode`(name: String, pieceSize: Int) throws {
    let (file, golden) = try load(name)
    let weights = Weights(file)
    let taps = try file.network.tappedNodes(nil)
    let kernels = TrainingKernels(
      file.network, layout: weights.layout, taps: taps, backend: .onednn, scratch: Scratch(), pieceSize: pieceSize)
    kernels.load(weights.parameters.pointer)
    let training = TrainingNetwork(kernels, taps: taps, capacity: 5, differentiable: true)
    let images = try golden.channelsLast("x")
    let pass = training.forward(
      images, samples: 5, parameters: weights.parameters.pointer,
      statistics: .batch(moving: weights.statistics.pointer))
    #expect(
      Distance.maximum(UnsafeBufferPointer(start: pass.logits, count: 25), try golden.floats("train.logits")) < 1e-4)
    pass.logitsGradient.update(from: try golden.floats("seed"), count: 25)
    let gradients = Tensor(count: weights.layout.parameterCount)
    pass.backward(
      images, parameters: weights.parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
    // Some are 0 but for rounding, such as a bias before batch normalisation.
    var largest: Float = 0
    for entry in weights.layout.parameters {
      largest = max(largest, try golden.floats("train.grad.\(entry.name)").map(abs).max()!)
    }
    for entry in weights.layout.parameters {
      let expected = try golden.floats("train.grad.\(entry.name)")
      let difference = zip(gradients.values[entry.range], expected).map { abs($0 - $1) }.max()!
      #expect(difference < 1e-3 * largest, "\(entry.name)")
    }
    for entry in weights.layout.statistics {
      let expected = try golden.floats("train.after.\(entry.name)")
      #expect(Distance.maximum(weights.statistics.values[entry.range], expected) < 1e-4, "\(entry.name)")
    }
  }

  @Test func `taps are modules, and stages by default`() throws {
    let network = try load("squeeze").file.network
    #expect(network.defaultTaps.count == 3)
    #expect(try network.tappedNodes(["body.1", "logits", "pooled"]).count == 3)
    #expect(try network.tappedNodes(["logits"]) == [network.output])
    #expect(throws: GraphError.self) { try network.tappedNodes(["body.9"]) }
  }
}
