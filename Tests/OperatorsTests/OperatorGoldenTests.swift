import Execution
import GraphSupport
import Graph
import Kernels
import Operators
import TestSupport
import Testing

/// Every operator against PyTorch in double precision, in both lowerings, in pieces and at once, by both backends: sums
/// of a few dozen products in float32 are within 1e-5 of the largest; erf by Abramowitz and Stegun within 1.5e-7.
@Suite struct `Every operator` {
  static let tolerance = 2e-5

  /// A case's network, flattened to PyTorch's order, and its values.
  private func network(_ test: OperatorCase, _ golden: Golden) throws -> Network {
    var builder = OperatorCase.Builder(Network(input: SampleShape(Array(golden.shape("\(test.name).x").dropFirst()))))
    let output = try test.build(&builder)
    #expect(
      builder.shape(output).count * golden.shape("\(test.name).x")[0]
        == golden.shape("\(test.name).y").reduce(1, *))
    let flat = try builder(Flatten(), output)
    builder.network.endTrunk(logits: flat, features: flat)
    return builder.network
  }

  private func load(_ layout: ParameterLayout, _ golden: Golden, _ name: String) throws -> (Tensor, Tensor) {
    let parameters = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    layout.initialize(seed: 1, parameters: parameters.pointer, statistics: statistics.pointer)
    for entry in layout.parameters {
      let values = try golden.floats("\(name).p.\(entry.name)")
      #expect(values.count == entry.range.count, "\(entry.name)")
      (parameters.pointer + entry.range.lowerBound).update(from: values, count: values.count)
    }
    return (parameters, statistics)
  }

  /// From PyTorch's order to the input's, channels last, and back.
  private func reordered(_ values: [Float], _ shape: SampleShape, samples: Int, back: Bool = false) -> [Float] {
    let value = Value(shape, order: .channelsLast(shape.rank))
    var result = values
    let strides = value.strides
    for sample in 0..<samples {
      for element in 0..<shape.count {
        var rest = element
        var place = 0
        for axis in shape.extents.indices.reversed() {
          place += rest % shape[axis] * strides[axis]
          rest /= shape[axis]
        }
        let base = sample * shape.count
        if back { result[base + element] = values[base + place] } else { result[base + place] = values[base + element] }
      }
    }
    return result
  }

  @Test(arguments: OperatorCase.all, ConvolutionBackend.allCases)
  func `give PyTorch's outputs and gradients`(test: OperatorCase, backend: ConvolutionBackend) throws {
    let golden = try Golden(fixture: "graph_operators")
    let network = try network(test, golden)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = try load(layout, golden, test.name)
    let samples = golden.shape("\(test.name).x")[0]
    let x = reordered(try golden.floats("\(test.name).x"), network.input, samples: samples)
    let y = try golden.floats("\(test.name).y")
    let dy = try golden.floats("\(test.name).dy")
    func expect(_ ours: some Collection<Float>, _ name: String) throws {
      #expect(Distance.maximum(ours, try golden.floats("\(test.name).\(name)")) < Self.tolerance, "\(name)")
    }

    for pieceSize in [2, 8] {
      let kernels = TrainingKernels(
        network, layout: layout, taps: [], backend: backend, scratch: Scratch(), pieceSize: pieceSize)
      kernels.load(parameters.pointer)
      let training = TrainingNetwork(kernels, taps: [], capacity: samples, differentiable: true)
      let pass = training.forward(
        x, samples: samples, parameters: parameters.pointer, statistics: .batch(moving: statistics.pointer))
      try expect(UnsafeBufferPointer(start: pass.logits, count: y.count), "y")
      pass.logitsGradient.update(from: dy, count: dy.count)
      let gradients = Tensor(count: layout.parameterCount)
      pass.backward(x, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
      for entry in layout.parameters { try expect(gradients.values[entry.range], "g.\(entry.name)") }
    }
    // Its batch's statistics are not those of evaluation mode.
    guard test.name != "batch_norm" else { return }
    let frozen = FrozenNetwork(network, layout: layout, backend: backend, differentiable: true, scratch: Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    let dx = frozen.inputGradient(x, samples: samples) { logits, seed in
      #expect(Distance.maximum(UnsafeBufferPointer(start: logits, count: y.count), y) < Self.tolerance, "frozen y")
      seed.update(from: dy, count: dy.count)
    }
    let ours = Array(UnsafeBufferPointer(start: dx, count: samples * network.input.count))
    try expect(reordered(ours, network.input, samples: samples, back: true), "dx")
  }

  @Test(arguments: OperatorCase.all, ConvolutionBackend.allCases)
  func `keep a NaN of their input and of each parameter`(test: OperatorCase, backend: ConvolutionBackend) throws {
    let golden = try Golden(fixture: "graph_operators")
    let network = try network(test, golden)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = try load(layout, golden, test.name)
    let samples = golden.shape("\(test.name).x")[0]
    let x = try golden.floats("\(test.name).x")
    let frozen = FrozenNetwork(network, layout: layout, backend: backend, differentiable: false, scratch: Scratch())
    func logits(_ x: [Float]) -> [Float] {
      frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
      return Array(UnsafeBufferPointer(start: frozen.logits(x, samples: samples), count: samples * network.classes))
    }
    let healthy = logits(x)
    let other = logits(x.map { $0 + 0.5 })
    let broken = logits(Array(repeating: .nan, count: x.count))
    // What padding and parameters alone give depends on no image.
    for (index, value) in broken.enumerated() where healthy[index] != other[index] { #expect(value.isNaN, "\(index)") }
    for entry in layout.parameters {
      let place = entry.range.lowerBound + (entry.shape.count == 4 ? entry.shape[2] * entry.shape[3] / 2 : 0)
      let value = parameters.values[place]
      parameters.values[place] = .nan
      let reached = logits(x).contains { $0.isNaN }
      #expect(reached, "\(entry.name)")
      parameters.values[place] = value
    }
  }

  @Test(arguments: OperatorCase.all.filter { !$0.hasKinks })
  func `give the gradients that central differences find`(test: OperatorCase) throws {
    let golden = try Golden(fixture: "graph_operators")
    // Rounding of float32 over a step of 1e-3: measured at most 6e-4.
    GradientCheck(try network(test, golden), samples: 3, pieceSize: 2).expectCentralDifferences(within: 4e-3)
  }
}
