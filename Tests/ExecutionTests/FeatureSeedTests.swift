import Execution
import Graph
import Kernels
import Models
import TestSupport
import Testing

/// The gradient that losses on logits and features put in together, which the golden gradients (logits alone) do not
/// show.
@Suite struct `Seeds at logits and features` {
  struct Case: Sendable, CustomTestStringConvertible {
    let kind: ModelKind
    let shortcut: Shortcut
    let taps: [String]?
    var testDescription: String { "\(kind) \(shortcut) \(taps ?? [])" }
  }

  static let cases = [
    Case(kind: .resnet8, shortcut: .projection, taps: nil),
    Case(kind: .resnet8, shortcut: .pad, taps: ["conv1", "layer1", "layer2.0", "layer3"]),
    // Identity shortcuts within a stage: a tapped block's output has two readers besides its own loss.
    Case(kind: .resnet20, shortcut: .projection, taps: ["conv1", "layer1.0", "layer1.1", "layer2.1", "layer3.2"]),
    Case(kind: .mlp, shortcut: .projection, taps: ["fc1", "fc2"]),
    // Two losses at one output, the logits'.
    Case(kind: .resnet8, shortcut: .projection, taps: ["layer3", "pooled", "logits"]),
    Case(kind: .mlp, shortcut: .projection, taps: ["logits", "fc1"]),
  ]

  /// Objective: sum of seed times output over logits and taps, seeds standard normal, so that no derivative is zero by
  /// symmetry. Along the gradient's own direction the derivative is the gradient's norm: the largest signal there is
  /// over float32's noise. A term that is missing, or counted twice, is off by several per cent at least.
  @Test(arguments: cases)
  func `give the gradient that central differences find`(model: Case) throws {
    let network = try Network.make(
      model.kind, shortcut: model.shortcut, hidden: [32, 24], input: SampleShape(3, 8, 8), classes: 10)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    let taps = try network.tappedNodes(model.taps)
    // Six samples in pieces of four and two.
    let kernels = TrainingKernels(
      network, layout: layout, taps: taps, backend: .onednn, scratch: Scratch(), pieceSize: 4)
    let training = TrainingNetwork(
      kernels, taps: taps, capacity: 6, differentiable: true)
    var stream = RandomStream(seed: 6, purpose: .test)
    let images = (0..<6 * network.input.count).map { _ in Float(stream.normal()) }
    func forward() -> TrainingPass {
      kernels.load(parameters.pointer)
      return training.forward(images, samples: 6, parameters: parameters.pointer, statistics: .batch(moving: nil))
    }

    let pass = forward()
    let logitsGradient = (0..<60).map { _ in Float(stream.normal()) }
    let seeds = (0..<pass.featureCount).map { tap in
      (0..<pass.featureShape(tap).count).map { _ in Float(stream.normal()) }
    }
    func objective() -> Double {
      let pass = forward()
      func dot(_ x: UnsafePointer<Float>, _ seed: [Float]) -> Double {
        seed.indices.reduce(0) { $0 + Double(x[$1]) * Double(seed[$1]) }
      }
      return dot(pass.logits, logitsGradient) + seeds.indices.reduce(0) { $0 + dot(pass.feature($1), seeds[$1]) }
    }
    pass.logitsGradient.update(from: logitsGradient, count: 60)
    for tap in seeds.indices { pass.featureGradient(tap).update(from: seeds[tap], count: seeds[tap].count) }
    let gradients = Tensor(count: layout.parameterCount)
    pass.backward(images, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: true)

    let norm = Elementwise.dot(gradients.pointer, gradients.pointer, count: gradients.count).squareRoot()
    #expect(norm > 1)
    // Few ReLUs change sides, and rounding is far below: 8e-4 is the most that was measured.
    let h: Float = 3e-4
    func moved(by distance: Float) -> Double {
      let step = distance / Float(norm)
      Elementwise.combine(
        1, parameters.pointer, step, gradients.pointer, count: gradients.count, into: parameters.pointer)
      defer {
        Elementwise.combine(
          1, parameters.pointer, -step, gradients.pointer, count: gradients.count, into: parameters.pointer)
      }
      return objective()
    }
    let derivative = (moved(by: h) - moved(by: -h)) / Double(2 * h)
    #expect(abs(derivative - norm) < 0.003 * norm, "\(derivative), expected \(norm)")
  }
}
