import Execution
import Graph
import GraphSupport
import Kernels
import Models
import Operators
import Testing

/// Dropout's and stochastic depth's masks, seen at taps.
@Suite struct `Dropout` {
  static let samples = 6

  /// A convolution, batch normalisation and a ReLU, which fuse; then the two kinds of dropout one after the other.
  private func network(rate: Double = 0.4, names: [String] = ["drop", "depth"]) throws -> Network {
    var network = Network(input: SampleShape(3, 5, 4))
    let convolution = try network.append(
      Convolution(weight: "conv.weight", outputs: 6, kernel: .init(3), padding: .init(1)), named: "conv", reading: 0)
    let norm = try network.append(
      BatchNormalization(
        weight: "bn.weight", bias: "bn.bias", mean: "bn.mean", variance: "bn.var", epsilon: 1e-5, momentum: 0.1),
      named: "bn", reading: convolution)
    let relu = try network.append(ReLU(), named: "relu", reading: norm)
    // No zeros but dropout's own.
    let above = try network.append(Affine(scale: 1, shift: 1), named: "above", reading: relu)
    let drop = try network.append(Dropout(rate: rate), named: names[0], reading: above)
    let depth = try network.append(Dropout(rate: rate, isBySample: true), named: names[1], reading: drop)
    let pooled = try network.append(GlobalAveragePool(), named: "pool", reading: depth)
    let logits = try network.append(Dense("fc", outputs: 4), named: "fc", reading: pooled)
    network.endTrunk(logits: logits, features: pooled)
    return network
  }

  private struct Outcome: Equatable {
    /// What dropout reads, what it gives, and what stochastic depth gives of that.
    var read, dropped, kept: [Float]
  }

  /// A training pass; `taps` beside those that are returned keep chains from fusing.
  private func run(
    _ network: Network, seed: Int = 3, epoch: Int = 1, firstSample: Int = 100, isRandom: Bool = true,
    pieceSize: Int = 8, taps: [String] = []
  ) throws -> Outcome {
    let layout = ParameterLayout(network)
    let parameters = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    let above = network.nodes.firstIndex { $0.name == "above" }!
    let nodes = [above, above + 1, above + 2] + (try network.tappedNodes(taps))
    let kernels = TrainingKernels(
      network, layout: layout, taps: nodes, backend: .onednn, scratch: Scratch(), pieceSize: pieceSize)
    kernels.load(parameters.pointer)
    let training = TrainingNetwork(kernels, taps: nodes, capacity: Self.samples, differentiable: true)
    var stream = RandomStream(seed: 6, purpose: .test)
    let images = (0..<Self.samples * network.input.count).map { _ in Float(stream.normal()) }
    let indices = (0..<Self.samples).map { firstSample + $0 }
    return indices.withUnsafeBufferPointer { indices in
      let pass = training.forward(
        images, samples: Self.samples, parameters: parameters.pointer, statistics: .batch(moving: nil),
        randomness: isRandom ? Randomness(seed: seed, epoch: epoch, samples: indices.baseAddress!) : nil)
      let count = Self.samples * 6 * 5 * 4
      func feature(_ tap: Int) -> [Float] { Array(UnsafeBufferPointer(start: pass.feature(tap), count: count)) }
      return Outcome(read: feature(0), dropped: feature(1), kept: feature(2))
    }
  }

  private func mask(_ values: [Float]) -> [Bool] { values.map { $0 == 0 } }

  @Test func `zeros about its rate and scales the others; stochastic depth takes whole samples`() throws {
    let outcome = try run(try network())
    for (x, y) in zip(outcome.read, outcome.dropped) { #expect(y == 0 || abs(y - x / 0.6) < 1e-5 * abs(x)) }
    // 720 elements: a standard deviation of 0.018.
    #expect(abs(Double(mask(outcome.dropped).count { $0 }) / 720 - 0.4) < 0.08)
    var factors: Set<Float> = []
    for sample in 0..<Self.samples {
      let elements = sample * 120..<(sample + 1) * 120
      let quotients = Set(
        elements.filter { outcome.dropped[$0] != 0 }.map {
          (outcome.kept[$0] / outcome.dropped[$0] * 1000).rounded() / 1000
        })
      #expect(quotients.count == 1)
      factors.formUnion(quotients)
    }
    #expect(factors == [0, 1.667])
  }

  @Test func `has one mask for each seed, epoch, sample and node's name`() throws {
    let network = try network()
    let first = try run(network)
    #expect(try run(network) == first)
    for other in [try run(network, seed: 4), try run(network, epoch: 2)] {
      #expect(mask(other.dropped) != mask(first.dropped))
    }
    #expect(try mask(run(self.network(names: ["other", "depth"])).dropped) != mask(first.dropped))
    // One sample further on: its masks are those of the next place.
    let shifted = try run(network, firstSample: 101)
    #expect(mask(Array(shifted.dropped[..<600])) == mask(Array(first.dropped[120...])))
  }

  @Test(arguments: [1, 2, 4])
  func `has the same mask in pieces of any size, and whether or not its neighbours fuse`(pieceSize: Int) throws {
    let network = try network()
    let whole = try run(network)
    for taps in [[], ["conv", "bn", "relu"]] {
      let pieces = try run(network, pieceSize: pieceSize, taps: taps)
      #expect(mask(pieces.dropped) == mask(whole.dropped) && mask(pieces.kept) == mask(whole.kept))
    }
  }

  @Test func `drops nothing without randomness, nor in a frozen network`() throws {
    let network = try network(rate: 0.9)
    let outcome = try run(network, isRandom: false)
    #expect(outcome.dropped == outcome.read && outcome.kept == outcome.read)

    let drop = network.nodes.firstIndex { $0.name == "drop" }!
    let layout = ParameterLayout(network)
    let parameters = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    let frozen = FrozenNetwork(
      network, layout: layout, backend: .onednn, differentiable: true, taps: [drop - 1, drop, drop + 1],
      scratch: Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    let images = (0..<network.input.count).map { Float($0 % 7) - 3 }
    _ = frozen.logits(images, samples: 1)
    func output(_ node: Int) -> [Float] {
      Array(UnsafeBufferPointer(start: frozen.output(node, samples: 1), count: 120))
    }
    #expect(output(drop) == output(drop - 1) && output(drop + 1) == output(drop - 1))
  }

  @Test(arguments: [2, 8])
  func `is differentiated with its mask`(pieceSize: Int) throws {
    try GradientCheck(try network(), samples: 5, pieceSize: pieceSize, randomized: true)
      .expectCentralDifferences(within: 5e-3)
  }
}
