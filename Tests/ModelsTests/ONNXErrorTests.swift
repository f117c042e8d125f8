import Files
import Formats
import Foundation
import Graph
import Models
import TestSupport
import Testing

@Suite struct `ONNX files that cannot be read` {
  /// A message of protobuf's wire format.
  private struct Message {
    var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
      var value = value
      while value >= 0x80 {
        bytes.append(UInt8(value & 0x7f) | 0x80)
        value >>= 7
      }
      bytes.append(UInt8(value))
    }
    func with(_ number: Int, _ value: Int) -> Message {
      var message = self
      message.varint(UInt64(number << 3))
      message.varint(UInt64(bitPattern: Int64(value)))
      return message
    }
    func with(_ number: Int, _ value: [UInt8]) -> Message {
      var message = self
      message.varint(UInt64(number << 3 | 2))
      message.varint(UInt64(value.count))
      message.bytes += value
      return message
    }
    func with(_ number: Int, _ text: String) -> Message { with(number, Array(text.utf8)) }
    func with(_ number: Int, _ message: Message) -> Message { with(number, message.bytes) }
  }

  private func value(_ name: String, _ shape: [Int]) -> Message {
    let dimensions = shape.reduce(Message()) { $0.with(1, $1 > 0 ? Message().with(1, $1) : Message().with(2, "n")) }
    return Message().with(1, name).with(2, Message().with(1, Message().with(1, 1).with(2, dimensions)))
  }

  private func node(_ kind: String, _ inputs: [String], _ output: String, module: String = "") -> Message {
    var node = inputs.reduce(Message()) { $0.with(1, $1) }.with(2, output).with(3, "node_\(output)").with(4, kind)
    if !module.isEmpty {
      node = node.with(
        9, Message().with(1, "pkg.torch.onnx.name_scopes").with(2, "['', '\(module)', '\(output)']"))
    }
    return node
  }

  private func model(_ nodes: [Message], tensors: [Message] = [], input: [Int] = [1, 3, 4, 4]) -> Message {
    let graph =
      tensors.reduce(nodes.reduce(Message()) { $0.with(1, $1) }) { $0.with(5, $1) }
      .with(11, value("x", input)).with(12, value("y", [1, 5]))
    return Message().with(7, graph).with(8, Message().with(2, 20))
  }

  /// A tensor of ones.
  private func tensor(_ name: String, _ shape: [Int], bytes: Int? = nil) -> Message {
    let values = [UInt8](repeating: 0, count: bytes ?? 4 * shape.reduce(1, *))
    return shape.reduce(Message()) { $0.with(1, $1) }.with(2, 1).with(8, name).with(9, values)
  }

  private func error(_ message: Message) throws -> String {
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/model.onnx"
    try Data(message.bytes).write(to: URL(fileURLWithPath: path))
    do {
      _ = try GraphFile(path: path)
      return "none"
    } catch { return "\(error)" }
  }

  @Test func `name every node that is not supported, with its module`() throws {
    let text = try error(
      model([node("Relu", ["x"], "a"), node("NonZero", ["a"], "b", module: "head.mask"), node("Einsum", ["a"], "y")]))
    #expect(text.contains("2 nodes cannot be read"))
    #expect(text.contains("NonZero 'node_b' in module head.mask: this operator is not supported"))
    #expect(text.contains("Einsum 'node_y'"))
    #expect(text.contains("launch/export-model"))
  }

  @Test func `whose batch normalisation was folded away say how to export`() throws {
    let layers = (1...4).map {
      node(
        "Conv", [$0 == 1 ? "x" : "c\($0 - 1)", "layer.\($0).weight", "bias\($0)"], "c\($0)", module: "layer.bn\($0)")
    }
    let tensors = (1...4).flatMap { [tensor("layer.\($0).weight", [3, 3, 1, 1]), tensor("bias\($0)", [3])] }
    let pool = [
      node("GlobalAveragePool", ["c4"], "p"), node("Flatten", ["p"], "f"), node("Gemm", ["f", "fc.weight"], "y"),
    ]
    let text = try error(model(layers + pool, tensors: tensors + [tensor("fc.weight", [3, 5])]))
    #expect(text.contains("folded into the convolutions") && text.contains("launch/export-model"))
  }

  @Test func `are no ONNX, or hold tensors that do not fit`() throws {
    #expect(try error(Message()).contains("is empty"))
    #expect(try error(Message().with(1, 7)).contains("holds no graph"))
    #expect(try error(model([], tensors: [tensor("w", [2, 3], bytes: 20)])).contains("has 20 bytes, expected 24"))
    #expect(try error(model([], tensors: [tensor("w", [1 << 30, 1 << 30], bytes: 4)])).contains("has the shape"))
    #expect(
      try error(model([node("Relu", ["x"], "y")], input: [1, 3, -1, -1])).contains(
        "expected (batch, channels, height, width)"))
    #expect(try error(model([node("Relu", ["x"], "y")])).contains("expected (batch, classes)"))
  }

  @Test(arguments: [
    "fc weight", "fc\"weight", "fc\u{7}weight", "fç.weight", String(repeating: "w", count: 201), "optimizer.fc",
    "fc.num_batches_tracked", "branch2.fc.weight",
  ])
  func `give weights a name that no checkpoint can hold`(name: String) throws {
    let pool = [node("GlobalAveragePool", ["x"], "p"), node("Flatten", ["p"], "f"), node("Gemm", ["f", name], "y")]
    #expect(
      try error(model(pool, tensors: [tensor(name, [3, 5])])).contains("have a name that a checkpoint cannot hold"))
    let usual = [pool[0], pool[1], node("Gemm", ["f", "/fc/W:0"], "y")]
    #expect(try error(model(usual, tensors: [tensor("/fc/W:0", [3, 5])])) == "none")
  }

  @Test func `name weights as a checkpoint names their average`() throws {
    let nodes = [
      node("GlobalAveragePool", ["x"], "p"), node("Flatten", ["p"], "f"), node("Gemm", ["f", "fc.w"], "g"),
      node("Gemm", ["g", "ema.fc.w"], "y"),
    ]
    let message = try error(model(nodes, tensors: [tensor("fc.w", [3, 5]), tensor("ema.fc.w", [5, 5])]))
    #expect(message.contains("which is what a checkpoint calls an average"))
    let alone = [nodes[0], nodes[1], node("Gemm", ["f", "ema.fc.w"], "y")]
    #expect(try error(model(alone, tensors: [tensor("ema.fc.w", [3, 5])])) == "none")
  }

  @Test func `are cut short or changed anywhere end in an error or a network, never in a trap`() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(PackageRoot.path)/Tests/Fixtures/attention.onnx"))
    let folder = try TemporaryDirectory()
    let path = "\(folder.path)/model.onnx"
    var failures = 0
    for trial in 0..<400 {
      var changed = bytes
      if trial % 2 == 0 {
        changed = bytes.prefix(bytes.count * trial / 400)
      } else {
        // Spread over the file, where most bytes are weights, and dense at its ends, where the structure is.
        let place = (trial * 7919) % bytes.count
        changed[changed.startIndex + place] ^= UInt8(1 << (trial % 8))
        changed[changed.startIndex + trial * 5 % 2000] &+= UInt8(trial % 251)
      }
      try changed.write(to: URL(fileURLWithPath: path))
      do { _ = try GraphFile(path: path) } catch { failures += 1 }
    }
    #expect(failures >= 200)
  }
}
