import Execution
import Graph
import Kernels
import Models
import Refinement
import TestSupport
import Testing

/// The inner loop against PyTorch, every rule: the loss at every iterate within 1e-4, and the relative L2 difference of
/// x_t - x_0 within the case's bound. A ReLU at its kink flips in double precision too, and turns a sample's gradient
/// from there on: `resnet20` has one, so its bound is wide.
@Suite struct `Refinement` {
  struct Case: Sendable, CustomTestStringConvertible {
    let source: Golden.Source
    let file: String
    let kind: ModelKind
    let shortcut: Shortcut
    let bound: Double
    /// i-FGSM takes signs, so an element whose gradient is rounding error goes a whole step the other way.
    let signBound: Double
    var testDescription: String { "\(source) \(file)" }
  }

  static let cases = [
    Case(
      source: .fixture, file: "resnet8", kind: .resnet8, shortcut: .projection, bound: 0.01, signBound: 0.1),
    Case(
      source: .fixture, file: "resnet8_pad", kind: .resnet8, shortcut: .pad, bound: 0.01, signBound: 0.1),
    Case(
      source: .shared, file: "resnet20", kind: .resnet20, shortcut: .projection, bound: 0.1, signBound: 0.15),
    Case(source: .shared, file: "resnet20_pad", kind: .resnet20, shortcut: .pad, bound: 0.01, signBound: 0.1),
  ]

  static let rules: [(RuleKind, Float)] = [(.sgd, 0.5), (.adam, 2e-3), (.ademamix, 2e-3), (.ifgsm, 2e-3)]

  /// With the golden file's weights.
  private static func network(
    of model: Case, _ golden: Golden, _ backend: ConvolutionBackend
  ) throws -> FrozenNetwork {
    let size = golden.shape("x")
    let network = try Network.make(
      model.kind, shortcut: model.shortcut, hidden: [],
      input: SampleShape(size[1], size[2], size[3]),
      classes: golden.shape("eval.logits")[1])
    let layout = ParameterLayout(network)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    for (entries, block) in [(layout.parameters, parameters), (layout.statistics, statistics)] {
      for entry in entries {
        _ = block.values[entry.range].update(fromContentsOf: try golden.floats("model.\(entry.name)"))
      }
    }
    let frozen = FrozenNetwork(
      network, layout: layout, backend: backend, differentiable: true, scratch: Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    return frozen
  }

  @Test(arguments: cases, ConvolutionBackend.allCases)
  func `losses and iterates of every rule are PyTorch's`(model: Case, backend: ConvolutionBackend) throws {
    guard let golden = try Golden.load(model.file, from: model.source) else { return }
    let size = golden.shape("x")
    let network = try Self.network(of: model, golden, backend)
    let x0 = try golden.channelsLast("x")
    let labels = try golden.labels("y")

    for (kind, stepSize) in Self.rules {
      let losses = try golden.floats("\(kind).losses")
      var iterates = [[Float]](repeating: x0, count: 6)
      let refiner = Refiner(
        network: network, rule: Rule(kind: kind, stepSize: stepSize), bounds: InputBounds(), steps: 5,
        capacity: size[0])
      let result = Array(0..<size[0]).withUnsafeBufferPointer { samples in
        refiner.refine(
          x0, labels: labels, samples: size[0], lossScale: 1 / Double(size[0]),
          addresses: .init(seed: 0, epoch: 0, samples: samples)
        ) { iteration, first, x in
          let start = first * network.input.sampleCount
          iterates[iteration].replaceSubrange(start..<start + x.count, with: x)
        }
      }
      #expect(abs(result.lossAtStart / Double(size[0]) - Double(losses[0])) < 1e-4 * Double(losses[0]))
      for iteration in 1...5 where golden.has("\(kind).x\(iteration)") {
        let reference = try golden.channelsLast("\(kind).x\(iteration)")
        let (ours, theirs) = (zip(iterates[iteration], x0).map(-), zip(reference, x0).map(-))
        let bound = kind == .ifgsm ? model.signBound : model.bound
        #expect(Distance.relative(ours, theirs) < bound, "\(kind) x\(iteration)")
      }
      for iteration in 0..<5 {
        let ours = refiner.loss(of: iterates[iteration], labels: labels) / Double(size[0])
        #expect(abs(ours - Double(losses[iteration])) < 1e-4 * Double(losses[iteration]), "\(kind) loss \(iteration)")
      }
    }
  }

  /// The gradient is linear in the target, and so is a step of sgd: the move of a mixture is the mixture of the moves.
  @Test func `mixed images move down the losses of both labels, by their weights`() throws {
    let model = Self.cases[0]
    guard let golden = try Golden.load(model.file, from: model.source) else { return }
    let network = try Self.network(of: model, golden, .onednn)
    let (x0, labels) = (try golden.channelsLast("x"), try golden.labels("y"))
    let others = Array(labels.dropFirst() + labels.prefix(1))
    let refiner = Refiner(
      network: network, rule: Rule(kind: .sgd, stepSize: 0.5), bounds: InputBounds(), steps: 1, capacity: labels.count)
    func move(_ labels: [Int32], mixedWith others: [Int32], weight: Double) -> (move: [Float], loss: Double) {
      others.withUnsafeBufferPointer { others in
        Array(labels.indices).withUnsafeBufferPointer { samples in
          let result = refiner.refine(
            x0, labels: labels, mixture: .init(others: others.baseAddress!, weight: weight), samples: labels.count,
            lossScale: 1, addresses: .init(seed: 0, epoch: 0, samples: samples))
          return (zip(UnsafeBufferPointer(start: result.images, count: x0.count), x0).map(-), result.lossAtStart)
        }
      }
    }
    let (own, other) = (move(labels, mixedWith: others, weight: 1), move(others, mixedWith: labels, weight: 1))
    let mixed = move(labels, mixedWith: others, weight: 0.7)
    let expected = zip(own.move, other.move).map { 0.7 * $0 + 0.3 * $1 }
    // Rounding of x_T - x_0 in float32: an ulp of x, some 1e-7, of moves of 1e-3.
    #expect(Distance.relative(mixed.move, expected) < 1e-3)
    #expect(abs(mixed.loss - (0.7 * own.loss + 0.3 * other.loss)) < 1e-5 * mixed.loss)
    #expect(Distance.relative(own.move, other.move) > 0.1)
  }
}
