/// Writes the messages of onnx.proto that `ONNXParser` reads, by their field numbers.
package enum ONNXWriter {
  /// Of operator set 21; what reads it must know IR version 10.
  private static let version = 10
  /// Above it no protobuf library reads a message.
  package static let byteLimit = Int(Int32.max)

  /// The whole file: tensors by name, so that equal models are equal bytes.
  package static func encode(_ model: ONNXModel) -> [UInt8] {
    var file = ProtobufWriter()
    file.integer(1, version)
    file.text(2, model.producer)
    file.message(7) { graph in
      for node in model.nodes { graph.message(1) { write(node, to: &$0) } }
      graph.text(2, "network")
      for name in model.initializers.keys.sorted() { graph.message(5) { write(model.initializers[name]!, to: &$0) } }
      for value in model.inputs { graph.message(11) { write(value, to: &$0) } }
      for value in model.outputs { graph.message(12) { write(value, to: &$0) } }
    }
    file.message(8) { set in
      set.text(1, "")
      set.integer(2, model.opset)
    }
    for (key, value) in sorted(model.metadata) { file.message(14) { entry(key, value, to: &$0) } }
    return file.bytes
  }

  private static func sorted(_ entries: [String: String]) -> [(key: String, value: String)] {
    entries.sorted { $0.key < $1.key }
  }

  private static func entry(_ key: String, _ value: String, to entry: inout ProtobufWriter) {
    entry.text(1, key)
    entry.text(2, value)
  }

  private static func write(_ node: ONNXModel.Node, to message: inout ProtobufWriter) {
    for input in node.inputs { message.text(1, input) }
    for output in node.outputs { message.text(2, output) }
    message.text(3, node.name)
    message.text(4, node.kind)
    for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
      message.message(5) { write(attribute, called: name, to: &$0) }
    }
    if !node.domain.isEmpty { message.text(7, node.domain) }
    for (key, value) in sorted(node.metadata) { message.message(9) { entry(key, value, to: &$0) } }
  }

  private static func write(
    _ attribute: ONNXModel.Attribute, called name: String, to message: inout ProtobufWriter
  ) {
    message.text(1, name)
    let type: Int
    switch attribute {
    case .float(let value):
      message.float(2, value)
      type = 1
    case .integer(let value):
      message.integer(3, value)
      type = 2
    case .text(let value):
      message.text(4, value)
      type = 3
    case .tensor(let value):
      message.message(5) { write(value, to: &$0) }
      type = 4
    case .floats(let values):
      for value in values { message.float(7, value) }
      type = 6
    case .integers(let values):
      message.integers(8, values)
      type = 7
    case .other: preconditionFailure("an attribute that was not read")
    }
    message.integer(20, type)
  }

  private static func write(_ value: ONNXModel.Value, to message: inout ProtobufWriter) {
    message.text(1, value.name)
    // type > tensor_type > element type, shape > dim
    message.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, ONNXTensor.Element.float32.rawValue)
        tensor.message(2) { shape in
          for extent in value.dimensions {
            shape.message(1) { dimension in
              if let extent { dimension.integer(1, extent) } else { dimension.text(2, "batch") }
            }
          }
        }
      }
    }
  }

  /// Floats as float32, whole numbers as int64.
  private static func write(_ tensor: ONNXTensor, to message: inout ProtobufWriter) {
    message.integers(1, tensor.shape)
    message.integer(2, (tensor.isFloat ? ONNXTensor.Element.float32 : .int64).rawValue)
    message.text(8, tensor.name)
    // The format and every machine we run on are little-endian.
    if tensor.isFloat {
      tensor.floats().withUnsafeBytes { message.raw(9, $0) }
    } else {
      tensor.integers().withUnsafeBytes { message.raw(9, $0) }
    }
  }
}
