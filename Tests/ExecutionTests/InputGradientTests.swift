import Execution
import Graph
import Kernels
import Models
import Operators
import Testing

@Suite struct `Gradient of the images after a training pass` {
  /// Sums hand their gradient on. So the first reader's part alone is the plan's own, to which the others are added;
  /// and it comes last, since the backward pass meets the readers from the end.
  @Test(arguments: 1...6)
  func `is that of the frozen network, however many sums read the images`(sums: Int) throws {
    var network = Network(input: SampleShape(2, 3, 3))
    var last = try network.append(Square(), named: "square", reading: 0)
    for sum in 0..<sums { last = try network.append(Add(), named: "sum\(sum)", reading: last, 0) }
    let pooled = try network.append(GlobalAveragePool(), named: "pool", reading: last)
    let logits = try network.append(Dense("fc", outputs: 3), named: "fc", reading: pooled)
    network.endTrunk(logits: logits, features: pooled)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    let frozen = FrozenNetwork(network, layout: layout, backend: .onednn, differentiable: true, scratch: Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    let samples = min(4, frozen.pieceSize)
    var stream = RandomStream(seed: 6, purpose: .test)
    let images = (0..<samples * network.input.count).map { _ in Float(stream.normal()) }
    let seeds = (0..<samples * network.classes).map { _ in Float(stream.normal()) }

    let kernels = TrainingKernels(
      network, layout: layout, taps: [], backend: .onednn, scratch: Scratch(), pieceSize: samples)
    let training = TrainingNetwork(kernels, taps: [], capacity: samples, differentiable: true)
    kernels.load(parameters.pointer)
    let inputGradient = try #require(training.inputGradient(pieceSize: samples))
    let (found, expected) = images.withUnsafeBufferPointer { images in
      let pass = training.forward(
        images.baseAddress!, samples: samples, parameters: parameters.pointer, statistics: .batch(moving: nil))
      let source = InputGradient.Source(
        pass, images: images.baseAddress!, parameters: parameters.pointer, randomness: nil, places: nil)
      let dx = inputGradient(source, first: 0, samples: samples) { _, count, _, seed in
        seed.update(from: seeds, count: count * network.classes)
      }
      let found = Array(UnsafeBufferPointer(start: dx, count: images.count))
      let expected = frozen.inputGradient(images.baseAddress!, samples: samples) { _, seed in
        seed.update(from: seeds, count: seeds.count)
      }
      return (found, Array(UnsafeBufferPointer(start: expected, count: images.count)))
    }
    // The sums of a few numbers, in another order.
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) <= 1e-5 * (1 + abs(expected))) }
    #expect(expected.contains { abs($0) > 0.1 })
  }
}
