import Checkpointing
import Configuration
import Datasets
import Files
import Formats
import Foundation
import Graph
import Kernels
import Models
import Operators
import TestSupport
import Testing

/// Weights as people have them, and what a model takes of them.
@Suite struct WeightsTests {
  private static func model() -> ModelState {
    ModelState(
      try! .make(
        .resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8),
        classes: 4),
      seed: 3)
  }

  private static func read(
    _ tensors: [NamedTensor], _ metadata: [String: String] = [:]
  ) throws -> WeightsFile {
    let folder = try TemporaryDirectory()
    try Data(SafetensorsWriter.encode(tensors: tensors, metadata: metadata))
      .write(to: URL(fileURLWithPath: folder.path("w.safetensors")))
    return try WeightsFile(path: folder.path("w.safetensors"))
  }

  // MARK: Values

  @Test(arguments: [
    ("layer3.0.bn2.weight", Float.nan, "value 1 is nan, expected finite values"),
    ("conv1.weight", .infinity, "value 1 is inf, expected finite values"),
    ("fc.bias", -.infinity, "value 1 is -inf, expected finite values"),
    ("bn1.running_mean", .nan, "value 1 is nan, expected finite values"),
    ("layer2.0.downsample.1.running_var", -1e-3, "value 1 is -0.001, and a variance is never negative"),
  ])
  func `a value that no training leaves is refused with tensor and index, and changes nothing`(
    name: String, value: Float, says: String
  ) throws {
    let model = Self.model()
    let before = model.namedTensors
    let tensors = ModelState(model.network, seed: 4).namedTensors.map { tensor in
      guard tensor.name == name else { return tensor }
      var values = tensor.floats!
      values[1] = value
      return NamedTensor(name, shape: tensor.shape, floats: values)
    }
    let error = #expect(throws: FileError.self) { try model.load(tensors, from: "w") }
    #expect(error?.description == "w: \(name): \(says)")
    #expect(model.namedTensors == before)
  }

  // MARK: Names

  @Test(arguments: ["module.", "_orig_mod.", "module._orig_mod.", "model.", "net._orig_mod.module.", ""])
  func `names of wrappers are left out`(prefix: String) throws {
    let tensors = Self.model().namedTensors
    #expect(
      try Self.read(tensors.map { $0.renamed(prefix + $0.name) }).tensors.map(\.name).sorted()
        == tensors.map(\.name).sorted())
  }

  /// A model of a file may hold all of its layers under one name.
  @Test func `a first part that the model's own names share is no wrapper's`() throws {
    var network = Network(input: SampleShape(3, 4, 4))
    let flat = try network.append(Flatten(), named: "flat", reading: 0)
    let hidden = try network.append(Dense("backbone.fc1", outputs: 4), named: "fc1", reading: flat)
    let logits = try network.append(Dense("backbone.fc2", outputs: 3), named: "fc2", reading: hidden)
    network.endTrunk(logits: logits, features: hidden)
    let tensors = ModelState(network, seed: 4).namedTensors
    for prefix in ["", "module."] {
      let file = try Self.read(tensors.map { $0.renamed(prefix + $0.name) })
      let model = ModelState(network, seed: 5)
      try model.load(file.tensors, from: file.path)
      #expect(model.namedTensors == tensors)
    }
  }

  @Test func `a wrapper of a layer alone is left out, and a layer's own name is not`() throws {
    let tensor = NamedTensor("", shape: [1], floats: [1])
    let file = try Self.read(["layer1._orig_mod.0.conv1.weight", "conv1.weight"].map { tensor.renamed($0) })
    #expect(file.tensors.map(\.name).sorted() == ["conv1.weight", "layer1.0.conv1.weight"])
    #expect(
      try Self.read(["fc.weight", "fc.bias"].map { tensor.renamed($0) }).tensors.map(\.name).sorted() == [
        "fc.bias", "fc.weight",
      ])
    let error = #expect(throws: FileError.self) {
      try Self.read(["fc.bias", "module.fc.bias"].map { tensor.renamed($0) })
    }
    #expect(error?.reason.hasPrefix("'fc.bias' and 'module.fc.bias' are both 'fc.bias'") == true)
  }

  @Test(arguments: ["BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "F32"])
  func `counters of batches may have any type`(type: String) throws {
    let size = try #require(ElementType(rawValue: type)).bits / 8
    let header = Array(
      "{\"bn1.num_batches_tracked\":{\"dtype\":\"\(type)\",\"shape\":[],\"data_offsets\":[0,\(size)]}}".utf8)
    let folder = try TemporaryDirectory()
    let bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header
    try Data(bytes + [UInt8](repeating: 1, count: size)).write(to: URL(fileURLWithPath: folder.path("w")))
    #expect(try WeightsFile(path: folder.path("w")).tensors.isEmpty)
  }

  // MARK: Heads and parts

  @Test func `a head of another size is refused with both shapes and the key, and a new one is a fresh network's`()
    throws
  {
    let tensors = ModelState(
      try .make(.resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8), classes: 7), seed: 5
    ).namedTensors
    let model = Self.model()
    let fresh = model.namedTensors
    let error = #expect(throws: FileError.self) { try model.load(tensors, from: "w") }
    #expect(
      error?.description
        == "w: fc.weight has shape [7, 64], the model's has [4, 64]; 'model.head: new' draws this layer afresh")
    #expect(model.namedTensors == fresh)
    for given in [tensors, tensors.filter { !$0.name.hasPrefix("fc.") }] {
      try model.load(given, from: "w", head: .new)
      for (name, values) in zip(model.namedTensors.map(\.name), model.namedTensors) {
        let expected = name.hasPrefix("fc.") ? fresh : tensors
        #expect(values == expected.first { $0.name == name }, "\(name)")
      }
    }
    let missing = #expect(throws: FileError.self) {
      try Self.model().load(tensors.filter { !$0.name.hasPrefix("fc.") }, from: "w")
    }
    #expect(missing?.reason.hasSuffix("'model.head: new' draws this layer afresh") == true)
  }

  @Test func `a model in parts is read by its index, and what the index says wrongly is named`() throws {
    let folder = try TemporaryDirectory()
    let tensors = Self.model().namedTensors.map { $0.renamed("module." + $0.name) }
    let parts = ["a.safetensors": Array(tensors.prefix(10)), "b.safetensors": Array(tensors.dropFirst(10))]
    for (file, part) in parts {
      try Data(SafetensorsWriter.encode(tensors: part)).write(to: URL(fileURLWithPath: folder.path(file)))
    }
    func index(_ entries: [String: String]) throws -> String {
      try folder.write(JSONText.of(["weight_map": entries]), to: "model.safetensors.index.json")
      return folder.path("model.safetensors.index.json")
    }
    var entries: [String: String] = [:]
    for (file, part) in parts { for tensor in part { entries[tensor.name] = file } }
    let path = try index(entries)
    #expect(WeightsFile.places(path) == [path, folder.path("a.safetensors"), folder.path("b.safetensors")])
    let model = ModelState(Self.model().network, seed: 9)
    try model.load(try WeightsFile(path: path).tensors, from: path)
    #expect(model.namedTensors == Self.model().namedTensors)

    entries["module.fc.bias"] = "a.safetensors"
    let misplaced = #expect(throws: FileError.self) { try WeightsFile(path: try index(entries)) }
    #expect(misplaced?.reason.hasPrefix("there is no tensor 'module.fc.bias', which") == true, "\(misplaced as Any)")
    let gone = #expect(throws: FileError.self) {
      try WeightsFile(path: try index(["fc.bias": "c.safetensors"]))
    }
    #expect(gone?.path == folder.path("c.safetensors"))
    #expect(gone?.reason.hasSuffix("it is a part of the model in \(path)") == true, "\(gone as Any)")
    let outside = #expect(throws: FileError.self) {
      try WeightsFile(path: try index(["fc.bias": "../a.safetensors"]))
    }
    #expect(outside?.reason.hasSuffix("expected a safetensors file beside the index") == true)
    let pickled = #expect(throws: FileError.self) { try WeightsFile(path: try index(["fc.bias": "a.bin"])) }
    #expect(pickled?.reason.hasSuffix("save_pretrained(DIR, safe_serialization=True)") == true)
  }

  // MARK: Preprocessing

  /// Decimals of any length, some of which have no finite binary form.
  @Test func `what metadata says of preprocessing reads back to the same bits`() throws {
    var stream = RandomStream(seed: 1, purpose: .test)
    for size in [1, 28, 65536] {
      let normalization = Normalization(
        mean: (0..<3).map { _ in stream.uniform() }, std: [stream.uniform() * 1e-5 + 1e-300, 1, 1.0 / 3])
      for classes in [Preprocessing.Classes.count(10), .chosen([3, 0, 65535])] {
        let written = Preprocessing(
          normalization, shape: ImageShape(channels: 3, height: size, width: 20), classes: classes)
        #expect(try Preprocessing(metadata: written.metadata, path: "") == written)
      }
    }
    #expect(
      Preprocessing(
        Normalization(mean: [0, 1], std: [0.5, 1e-5]), shape: ImageShape(channels: 2, height: 32, width: 32),
        classes: .chosen([5, 1])
      ).metadata == [
        "preprocessing.mean": "[0, 1]", "preprocessing.std": "[0.5, 1.0e-05]", "preprocessing.size": "32",
        "preprocessing.channels": "2", "preprocessing.classes": "[5, 1]",
      ])
  }

  @Test(arguments: [
    ("mean", "[nan, 0, 0]"), ("mean", "[0x1p-1, 0, 0]"), ("mean", "[1.5, 0, 0]"), ("mean", "[0.1, 0.1]"),
    ("mean", "[]"),
    ("mean", ""), ("mean", "[0.1, 0.1, 0.1,]"), ("mean", "0.1"), ("std", "[0, 1, 1]"), ("std", "[1e-400, 1, 1]"),
    ("std", "[inf, 1, 1]"), ("std", "[2, 1, 1]"), ("size", "0"), ("size", "-1"), ("size", "032"), ("size", "32x"),
    ("size", "32x32x32"), ("size", "65537"), ("size", "99999999999999999999"), ("channels", "1"), ("channels", "3.0"),
    ("classes", "0"), ("classes", "[1]"), ("classes", "[1, 1]"), ("classes", "[1, 65536]"), ("classes", "[1, -1]"),
    ("classes", "ten"),
  ])
  func `a value that is none is refused with its key`(name: String, text: String) {
    var metadata = Preprocessing(
      Normalization(mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]),
      shape: ImageShape(channels: 3, height: 32, width: 32), classes: .count(10)
    ).metadata
    metadata["preprocessing.\(name)"] = text
    let error = #expect(throws: FileError.self) { try Preprocessing(metadata: metadata, path: "w") }
    #expect(error?.description.hasPrefix("w: metadata preprocessing.") == true)
    #expect(error?.reason.contains("expected") == true)
    metadata["preprocessing.\(name)"] = nil
    // Mean without std is half of a normalisation; any other may be missing.
    #expect(((try? Preprocessing(metadata: metadata, path: "w")) == nil) == (name == "mean" || name == "std"))
  }
}
