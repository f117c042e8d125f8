import Execution
import Graph
import GraphSupport
import Kernels
import Models
import Operators
import TestSupport
import Testing

/// Whole networks in bfloat16 against PyTorch in double precision, beside what torch.autocast(bfloat16) makes of them
/// (Tests/Fixtures/make_bfloat16.py).
///
/// An output is rounded by up to 2^-8 of itself, and so are weights and inputs, layer by layer: 0.4 2^-8 in the root
/// mean square. Such errors are independent of each other, so the logits' is some sqrt(3 layers) times that, 0.008 of
/// the largest after nine layers; autocast's is 0.006. Three times that is the bound. Gradients go through ReLUs that
/// flip: there autocast's distance is the measure.
@Suite struct `Networks in bfloat16` {
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let shortcut: Shortcut
    var testDescription: String { file }
  }

  static let cases = [
    Case(file: "resnet8", shortcut: .projection), Case(file: "resnet8_pad", shortcut: .pad),
  ]
  static let bound = 3 * 2 * 0x1p-8

  @Test(.bfloat16, arguments: cases)
  func `evaluation mode is as near to PyTorch's as autocast is, and so are the images' gradients`(model: Case) throws {
    let golden = try Golden(fixture: model.file)
    let autocast = try Golden(fixture: "bfloat16")
    let network = try LoadedNetwork(golden, kind: .resnet8, shortcut: model.shortcut)
    let taps = try network.graph.tappedNodes(nil)
    let frozen = FrozenNetwork(
      network.graph, layout: network.layout, backend: .onednn, precision: .bfloat16, differentiable: true, taps: taps,
      scratch: Scratch())
    frozen.fold(parameters: network.parameters.pointer, statistics: network.statistics.pointer)
    let outputs = network.outputs(of: frozen, at: taps)
    #expect(Distance.maximum(outputs[0], try golden.floats("eval.logits")) < Self.bound)
    for index in taps.indices {
      let feature = try golden.channelsLast("eval.feature\(index)")
      #expect(Distance.maximum(outputs[1 + index], feature) < Self.bound, "feature \(index)")
    }

    let loss = CrossEntropy(classes: frozen.classes)
    var gradient: [Float] = []
    network.forEachPiece { images, labels, count in
      let piece = frozen.inputGradient(images, samples: count) { logits, seed in
        _ = loss(logits: logits, labels: labels, samples: count, scale: 1, gradient: seed)
      }
      gradient += UnsafeBufferPointer(start: piece, count: count * network.graph.input.count)
    }
    let reference = try autocast.channelsLast("\(model.file).eval.dx")
    let theirs = try autocast.scalar("\(model.file).autocast.eval.dx")
    #expect(Distance.relative(gradient, reference) < 1.5 * theirs, "autocast: \(theirs)")
    // Adam's first step is the gradient's sign.
    let signs = zip(gradient, reference).count { $0.sign == $1.sign && ($0 == 0) == ($1 == 0) }
    let agreement = Double(signs) / Double(reference.count)
    let theirAgreement = try autocast.scalar("\(model.file).autocast.eval.signs")
    #expect(agreement > theirAgreement - 0.03, "\(agreement) of the signs, autocast \(theirAgreement)")
  }

  @Test(.bfloat16, arguments: cases)
  func `training mode is as near to PyTorch's as autocast is`(model: Case) throws {
    let golden = try Golden(fixture: model.file)
    let autocast = try Golden(fixture: "bfloat16")
    // In pieces of 2 every batch is more than one piece.
    for pieceSize in [2, 8] {
      let network = try LoadedNetwork(golden, kind: .resnet8, shortcut: model.shortcut)
      let taps = try network.graph.tappedNodes(nil)
      let kernels = TrainingKernels(
        network.graph, layout: network.layout, taps: taps, backend: .onednn, precision: .bfloat16, scratch: Scratch(),
        pieceSize: pieceSize)
      kernels.load(network.parameters.pointer)
      let training = TrainingNetwork(kernels, taps: taps, capacity: network.samples, differentiable: true)
      let pass = training.forward(
        network.images, samples: network.samples, parameters: network.parameters.pointer,
        statistics: .batch(moving: network.statistics.pointer))
      let logits = try golden.floats("train.logits")
      #expect(
        Distance.maximum(UnsafeBufferPointer(start: pass.logits, count: logits.count), logits)
          < max(Self.bound, 1.5 * (try autocast.scalar("\(model.file).autocast.train.logits"))))
      _ = CrossEntropy(classes: pass.classes)(
        logits: pass.logits, labels: network.labels, samples: network.samples, scale: 1 / Double(network.samples),
        gradient: pass.logitsGradient)
      let gradients = Tensor(count: network.layout.parameterCount)
      pass.backward(
        network.images, parameters: network.parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
      let compared = network.layout.parameters.filter { golden.has("train.grad.\($0.name)") }
      let ours = compared.flatMap { Array(gradients.values[$0.range]) }
      let reference = try compared.flatMap { try golden.floats("train.grad.\($0.name)") }
      let theirs = try autocast.scalar("\(model.file).autocast.train.grad")
      #expect(Distance.relative(ours, reference) < 1.5 * theirs, "autocast: \(theirs)")
      for entry in network.layout.statistics where golden.has("train.after.\(entry.name)") {
        let distance = Distance.maximum(
          network.statistics.values[entry.range], try golden.floats("train.after.\(entry.name)"))
        #expect(distance < Self.bound, "\(entry.name)")
      }
    }
  }

  /// Operators without a kernel for it stand between conversions, and reorders too.
  @Test(.bfloat16) func `a network of any operators computes nearly what it does in float32`() throws {
    var network = Network(input: SampleShape(3, 12, 12))
    let stem = try network.append(
      Convolution(weight: "stem.weight", bias: "stem.bias", outputs: 8, kernel: .init(3), padding: .init(1)),
      named: "stem", reading: 0)
    let norm = try network.append(
      BatchNormalization(
        weight: "bn.weight", bias: "bn.bias", mean: "bn.mean", variance: "bn.var", epsilon: 1e-5, momentum: 0.1),
      named: "bn", reading: stem)
    let act = try network.append(SiLU(), named: "act", reading: norm)
    let depth = try network.append(
      Convolution(weight: "depth.weight", outputs: 8, kernel: .init(3), padding: .init(1), groups: 8), named: "depth",
      reading: act)
    let sum = try network.append(Add(), named: "sum", reading: depth, act)
    let pool = try network.append(
      AveragePool(Window(kernel: .init(2), stride: .init(2)), countsPadding: false), named: "pool", reading: sum)
    let soft = try network.append(Softmax(axis: 0), named: "soft", reading: pool)
    let flat = try network.append(Flatten(), named: "flat", reading: soft)
    let logits = try network.append(Dense("fc", outputs: 7), named: "fc", reading: flat)
    network.tap(act, as: "act", byDefault: true)
    network.endTrunk(logits: logits, features: flat)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    var stream = RandomStream(seed: 6, purpose: .test)
    let images = (0..<5 * network.input.count).map { _ in Float(stream.normal()) }
    let seed = (0..<5 * 7).map { _ in Float(stream.normal()) }
    func run(_ precision: ElementType) -> [[Float]] {
      let kernels = TrainingKernels(
        network, layout: layout, taps: [act], backend: .onednn, precision: precision, scratch: Scratch(), pieceSize: 2)
      kernels.load(parameters.pointer)
      let training = TrainingNetwork(kernels, taps: [act], capacity: 5, differentiable: true)
      let pass = training.forward(
        images, samples: 5, parameters: parameters.pointer, statistics: .batch(moving: nil))
      let feature = Array(UnsafeBufferPointer(start: pass.feature(0), count: pass.featureShape(0).count))
      let logits = Array(UnsafeBufferPointer(start: pass.logits, count: seed.count))
      pass.logitsGradient.update(from: seed, count: seed.count)
      pass.featureGradient(0).update(repeating: 0.01, count: feature.count)
      let gradients = Tensor(count: layout.parameterCount)
      pass.backward(images, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: true)
      return [feature, logits, Array(gradients.values)]
    }
    let (whole, half) = (run(.float32), run(.bfloat16))
    #expect(whole[1] != half[1])
    #expect(Distance.maximum(half[0], whole[0]) < Self.bound)
    #expect(Distance.maximum(half[1], whole[1]) < Self.bound)
    #expect(Distance.relative(half[2], whole[2]) < 4 * Self.bound)
  }

  @Test func `activations for the backward pass take half the memory`() throws {
    let network = try Network.make(
      .resnet20, shortcut: .projection, hidden: [], input: SampleShape(3, 32, 32), classes: 10)
    func bytes(_ precision: ElementType) -> Double {
      let kernels = TrainingKernels(
        network, layout: ParameterLayout(network), taps: [], backend: .onednn, precision: precision, scratch: Scratch())
      return TrainingNetwork.memory(kernels, taps: [], capacity: 128, differentiable: true, sizes: []).own
    }
    // All but the pooled features, the logits and their gradients, a thousandth.
    #expect(abs(bytes(.bfloat16) / bytes(.float32) - 0.5) < 0.01)
  }
}
