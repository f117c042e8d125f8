import Execution
import Export
import Files
import Formats
import Foundation
import Graph
import Kernels
import Models
import Operators
import TestSupport
import Testing

/// What is exported computes what we compute: read back by our own reader, run by onnxruntime, and rebuilt in PyTorch
/// by python/icp_trainer.py.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ExportTests {
  /// Networks in code, the fixtures' ONNX files, and one of what neither has.
  static let names =
    ["resnet8", "resnet8-pad", "mlp", "resnet18", "resnet50", "wrn-16-4", "rest"]
    + ["preactivation", "squeeze", "densenet", "convnext", "attention"]

  static func model(_ name: String) throws -> ModelState {
    let input = SampleShape(3, 16, 16)
    let network: Network
    switch name {
    case "resnet8": network = try .make(ModelChoice(kind: .resnet8, dropout: 0.2), input: input, classes: 5)
    case "resnet8-pad": network = try .make(ModelChoice(kind: .resnet8, shortcut: .pad), input: input, classes: 5)
    case "mlp": network = try .make(ModelChoice(kind: .mlp, hidden: [7, 6]), input: input, classes: 5)
    case "resnet18": network = try .make(ModelChoice(kind: .resnet18), input: input, classes: 5)
    case "resnet50": network = try .make(ModelChoice(kind: .resnet50, stem: .small), input: input, classes: 5)
    case "wrn-16-4": network = try .make(ModelChoice(kind: .wideResNet16x4), input: input, classes: 5)
    case "rest": network = try rest(input)
    default:
      let file = try GraphFile(path: "\(PackageRoot.path)/Tests/Fixtures/\(name).onnx")
      let model = ModelState(file.network, seed: 3)
      try model.load(file.tensors, from: file.path)
      return model
    }
    let model = ModelState(network, seed: 3)
    // Statistics and shifts that are not what they begin with.
    var stream = RandomStream(seed: 1, purpose: .test)
    for entry in model.layout.statistics {
      for index in entry.range { model.statistics.values[index] = Float(stream.uniform(in: 0.5...1.5)) }
    }
    for entry in model.layout.parameters where entry.shape.count == 1 {
      for index in entry.range { model.parameters.values[index] = Float(stream.uniform(in: 0.5...1.5)) }
    }
    return model
  }

  private static func rest(_ input: SampleShape) throws -> Network {
    var network = Network(input: input)
    var count = 0
    func add(_ operator: any Operator, _ inputs: Int...) throws -> Int {
      count += 1
      return try network.append(`operator`, named: "part.\(count)", reading: inputs)
    }
    func shape(_ node: Int) -> SampleShape { network.nodes[node].shape }
    var x = try add(
      TransposedConvolution(
        weight: "up.weight", bias: "up.bias", outputs: 6, kernel: .init(3), stride: .init(2),
        padding: .init(top: 1, left: 0, bottom: 0, right: 1), outputPadding: .init(1)), 0)
    x = try add(GroupNormalization(weight: "group.weight", bias: "group.bias", groups: 3), x)
    x = try add(LeakyReLU(negativeSlope: 0.2), x)
    x = try add(
      AveragePool(
        Window(kernel: .init(3), stride: .init(2), padding: .init(top: 1, left: 0, bottom: 0, right: 1)),
        countsPadding: false), x)
    x = try add(
      MaxPool(Window(kernel: .init(3), stride: .init(2), padding: .init(top: 0, left: 1, bottom: 1, right: 0))), x)
    x = try add(Pad(before: [0, 1, 0], after: [0, 0, 2], value: 0.5), x)
    x = try add(Gather(axis: 1, indices: [3, 0, 3, 5]), x)
    x = try add(Slice(.init(start: 1, count: 3, step: 2), axis: 2, of: shape(x)), x)
    for next in [
      ELU(alpha: 0.7), HardSwish(), HardSigmoid(alpha: 0.3, beta: 0.4), Clip(minimum: 0.1, maximum: .infinity), SiLU(),
      Softplus(), Tanh(), Erf(), Exponential(), SquareRoot(), Absolute(), Affine(scale: 2, shift: 0.5), Reciprocal(),
      Logarithm(), GELU(isApproximate: true), Power(3), Affine(scale: -1), Sigmoid(), Identity(),
    ] as [any Operator] { x = try add(next, x) }
    let scale = Variable("scale", shape(x).extents, start: .constant(1))
    x = try add(Multiply(own: OwnOperand(.parameter(scale), shape: shape(x))), x)
    let weights = (0..<4).map { Float($0) + 1 }
    x = try add(Subtract(own: OwnOperand(.constant(weights), shape: SampleShape(1, 4, 1), isFirst: true)), x)
    let means = try add(Reduction([1], isMean: true, keepsAxes: true), x)
    x = try add(Divide(), x, means)
    x = try add(Transpose([1, 2, 0]), x)
    x = try add(LayerNormalization(weight: "layer.weight", bias: nil, axes: 2), x)
    x = try add(Projection(weight: "project.weight", bias: "project.bias", outputs: 5), x)
    x = try add(Projection(weight: "turned.weight", bias: nil, outputs: 4, isTransposed: true), x)
    x = try add(Softmax(axis: 2), x)
    x = try add(Reshape(SampleShape(shape(x).extents.dropLast().reduce(1, *), 4)), x)
    let token = try add(Parameter(Variable("token", [1, 1, 4], start: .constant(0.3)), shape: SampleShape(1, 4)))
    x = try add(Concatenation(axis: 0), token, x)
    let products = try add(MatMul(), x, add(Transpose([1, 0]), x))
    x = try add(Reduction([1], isMean: false, keepsAxes: false), products)
    let logits = try add(Dense("head", outputs: 5), x)
    network.endTrunk(logits: logits, features: x)
    return network
  }

  /// (samples, classes) of images (samples, height, width, channels).
  private static func logits(_ model: ModelState, _ images: [Float], samples: Int) -> [Float] {
    let frozen = FrozenNetwork(
      model.network, layout: model.layout, backend: .onednn, differentiable: false, scratch: Scratch())
    frozen.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    var logits: [Float] = []
    images.withUnsafeBufferPointer { images in
      for first in stride(from: 0, to: samples, by: frozen.pieceSize) {
        let count = min(frozen.pieceSize, samples - first)
        let found = frozen.logits(images.baseAddress! + first * model.network.input.count, samples: count)
        logits += UnsafeBufferPointer(start: found, count: count * model.network.classes)
      }
    }
    return logits
  }

  private static func images(_ count: Int) -> [Float] {
    var stream = RandomStream(seed: 2, purpose: .test)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  @Test(.long, arguments: names)
  func `a file to train on is read back as the same network with the same weights`(name: String) throws {
    let model = try Self.model(name)
    let folder = try TemporaryDirectory()
    let metadata = ["preprocessing.mean": "[0.5, 0.25, 0.125]", "preprocessing.std": "[0.5, 0.5, 0.5]"]
    let bytes = NetworkExport.onnx(model, for: .training, metadata: metadata)
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path("x.onnx")))
    let file = try GraphFile(path: folder.path("x.onnx"))
    #expect(file.network.classes == 5 && file.network.input == model.network.input)
    #expect(metadata.allSatisfy { file.metadata[$0.key] == $0.value })
    let read = ModelState(file.network, seed: 0)
    try read.load(file.tensors, from: file.path)
    #expect(
      Dictionary(uniqueKeysWithValues: read.namedTensors.map { ($0.name, $0) })
        == Dictionary(uniqueKeysWithValues: model.namedTensors.map { ($0.name, $0) }))
    // Taps keep their names; what they name is the same value.
    for tap in model.network.taps where name != "rest" {
      let shapes = try [model.network, read.network].map { network in
        network.nodes[try network.tappedNodes([tap.name])[0]].shape
      }
      #expect(shapes[0] == shapes[1], "\(tap.name)")
    }
    let images = Self.images(5 * model.network.input.count)
    // The same kernels, but for what two nodes do in place of one.
    #expect(
      Distance.maximum(Self.logits(read, images, samples: 5), Self.logits(model, images, samples: 5)) < 1e-5)
  }

  @Test func `a head of another size keeps the rest of a file's network`() throws {
    for name in ["squeeze", "attention"] {
      let model = try Self.model(name)
      let resized = ModelState(try model.network.resizingHead(to: 9), seed: 4)
      #expect(resized.network.classes == 9 && resized.network.taps == model.network.taps)
      #expect(resized.network.defaultTaps == model.network.defaultTaps)
      try resized.load(model.namedTensors, from: name, head: .new)
      let head = Set(model.network.head)
      #expect(!head.isEmpty)
      let all = Dictionary(uniqueKeysWithValues: resized.namedTensors.map { ($0.name, $0) })
      for tensor in model.namedTensors where !head.contains(tensor.name) { #expect(all[tensor.name] == tensor) }
    }
  }

  /// Float32 in another order of sums through up to 50 layers.
  @Test(.long) func `onnxruntime and PyTorch compute the same logits from files and checkpoints`() throws {
    let python = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"
    let modules = "import numpy, torch, onnx, onnxruntime, safetensors"
    guard (try? Program.run(executable: python, ["-c", modules], timeLimit: 60))?.status == 0 else {
      print(
        "SKIPPED: no Python with torch, onnx, onnxruntime and safetensors (set ICP_PYTHON); no export was run by others"
      )
      return
    }
    let folder = try TemporaryDirectory()
    let samples = 3
    for name in Self.names {
      let model = try Self.model(name)
      let images = Self.images(samples * model.network.input.count)
      let shape = [samples] + model.network.input.extents
      let channelsFirst = Layout.channelsFirst(images, shape: shape)
      let values = [
        NamedTensor("x", shape: shape, floats: channelsFirst),
        NamedTensor("logits", shape: [samples, 5], floats: Self.logits(model, images, samples: samples)),
      ]
      try Data(SafetensorsWriter.encode(tensors: values)).write(
        to: URL(fileURLWithPath: folder.path("\(name).values")))
      for use in [NetworkExport.Use.evaluation, .training] {
        try Data(NetworkExport.onnx(model, for: use, metadata: [:])).write(
          to: URL(fileURLWithPath: folder.path("\(name).\(use).onnx")))
      }
      try Data(
        SafetensorsWriter.encode(
          tensors: model.namedTensors, metadata: ["network": JSONText.of(ExportGraph(model.network))])
      ).write(to: URL(fileURLWithPath: folder.path("\(name).weights")))
    }
    let outcome = try Program.run(
      executable: python, ["-c", Self.script, "\(PackageRoot.path)/python", folder.path] + Self.names, timeLimit: 100)
    try #require(outcome.status == 0, "\(outcome.standardOutput) \(outcome.standardError)")
    #expect(outcome.standardOutput.split(separator: "\n").count == 3 * Self.names.count)
    for line in outcome.standardOutput.split(separator: "\n") {
      let words = line.split(separator: " ")
      #expect(try #require(Double(words.last!)) < 1e-4, "\(line)")
    }
  }

  private static let script = """
    import json, sys, onnx, onnxruntime, torch
    from safetensors import safe_open
    from safetensors.torch import load_file
    sys.path.insert(0, sys.argv[1])
    import icp_trainer
    torch.set_num_threads(1)
    folder = sys.argv[2]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for name in sys.argv[3:]:
        values = load_file(f"{folder}/{name}.values")
        x, expected = values["x"], values["logits"]
        def distance(ours):
            return ((ours - expected).abs().max() / expected.abs().max()).item()
        for use in ("evaluation", "training"):
            path = f"{folder}/{name}.{use}.onnx"
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            print(name, use, distance(torch.from_numpy(session.run(None, {"images": x.numpy()})[0])))
        with safe_open(f"{folder}/{name}.weights", "pt") as file:
            graph = json.loads(file.metadata()["network"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        module = icp_trainer.Network(graph, tensors).eval()
        assert set(module.state_dict()) == set(tensors), name
        with torch.no_grad():
            print(name, "module", distance(module(x)))
        module.train()(x).sum().backward()
        assert all(p.grad is not None for p in module.parameters()), name
    """
}
