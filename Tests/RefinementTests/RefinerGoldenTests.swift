import Kernels
import Networks
import Refinement
import TestSupport
import Testing

/// The inner loop against PyTorch, every rule: the loss at every iterate within 1e-4, and the relative L2 difference of
/// x_t - x_0 within the case's bound. A ReLU at its kink flips in double precision too, and turns a sample's gradient from
/// there on: `resnet20` has one, so its bound is wide.
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

  @Test(arguments: cases, ConvolutionBackend.allCases)
  func `losses and iterates of every rule are PyTorch's`(model: Case, backend: ConvolutionBackend) throws {
    guard let golden = try Golden.load(model.file, from: model.source) else { return }
    let size = golden.shape("x")
    let architecture = Architecture.make(
      model.kind, shortcut: model.shortcut, hidden: [],
      input: Shape(batch: 1, height: size[2], width: size[3], channels: size[1]),
      classes: golden.shape("eval.logits")[1])
    let layout = ParameterLayout(architecture)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    for (entries, block) in [(layout.parameters, parameters), (layout.statistics, statistics)] {
      for entry in entries {
        _ = block.values[entry.range].update(fromContentsOf: try golden.floats("model.\(entry.name)"))
      }
    }
    let network = FrozenNetwork(
      architecture, layout: layout, backend: backend, differentiable: true, scratch: Scratch())
    network.fold(parameters: parameters.pointer, statistics: statistics.pointer)
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
          let start = first * architecture.input.sampleCount
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
}
