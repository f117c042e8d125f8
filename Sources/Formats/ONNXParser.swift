import Files
import Foundation

/// Reads the messages of onnx.proto, by their field numbers.
struct ONNXParser {
  private let file: MappedFile
  private var external: [String: MappedFile] = [:]
  private var path: String { file.path }

  init(file: MappedFile) { self.file = file }

  private func failure(_ reason: String) -> FileError { FileError(path: path, reason: reason) }
  private func reader(_ bytes: UnsafeRawBufferPointer) -> ProtobufReader { ProtobufReader(bytes, path: path) }

  mutating func read(into model: inout ONNXModel) throws(FileError) {
    guard file.bytes.count > 0 else { throw failure("is empty, expected an ONNX model") }
    var fields = reader(file.bytes)
    var graph: UnsafeRawBufferPointer?
    while let field = try fields.next() {
      switch (field.number, field.bytes) {
      case (2, _): model.producer = field.text ?? ""
      case (7, let bytes?): graph = bytes
      case (8, let bytes?): try readOpset(bytes, &model)
      case (14, let bytes?): try readEntry(bytes, into: &model.metadata)
      default: break
      }
    }
    guard let graph else { throw failure("holds no graph, expected an ONNX model") }
    guard model.opset > 0 else { throw failure("names no operator set, expected an ONNX model") }
    try readGraph(graph, &model)
  }

  private func readOpset(_ bytes: UnsafeRawBufferPointer, _ model: inout ONNXModel) throws(FileError) {
    var fields = reader(bytes)
    var domain = ""
    var version = 0
    while let field = try fields.next() {
      if field.number == 1 { domain = field.text ?? "" }
      if field.number == 2 { version = field.integer ?? 0 }
    }
    if domain.isEmpty || domain == "ai.onnx" { model.opset = version }
  }

  private func readEntry(_ bytes: UnsafeRawBufferPointer, into entries: inout [String: String]) throws(FileError) {
    var fields = reader(bytes)
    var key = ""
    var value = ""
    while let field = try fields.next() {
      if field.number == 1 { key = field.text ?? "" }
      if field.number == 2 { value = field.text ?? "" }
    }
    entries[key] = value
  }

  private mutating func readGraph(_ bytes: UnsafeRawBufferPointer, _ model: inout ONNXModel) throws(FileError) {
    var fields = reader(bytes)
    while let field = try fields.next() {
      guard let bytes = field.bytes else { continue }
      switch field.number {
      case 1: model.nodes.append(try readNode(bytes))
      case 5:
        let tensor = try readTensor(bytes)
        guard model.initializers.updateValue(tensor, forKey: tensor.name) == nil else {
          throw failure("two tensors are called \(quoted(tensor.name))")
        }
      case 11: model.inputs.append(try readValue(bytes))
      case 12: model.outputs.append(try readValue(bytes))
      case 15: throw failure("holds sparse tensors, which are not supported")
      default: break
      }
    }
    model.inputs.removeAll { model.initializers[$0.name] != nil }
  }

  private mutating func readNode(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> ONNXModel.Node {
    var node = ONNXModel.Node()
    var fields = reader(bytes)
    while let field = try fields.next() {
      switch field.number {
      case 1: node.inputs.append(field.text ?? "")
      case 2: node.outputs.append(field.text ?? "")
      case 3: node.name = field.text ?? ""
      case 4: node.kind = field.text ?? ""
      case 5:
        guard let bytes = field.bytes else { continue }
        let (name, attribute) = try readAttribute(bytes)
        node.attributes[name] = attribute
      case 7: node.domain = field.text ?? ""
      case 9: if let bytes = field.bytes { try readEntry(bytes, into: &node.metadata) }
      default: break
      }
    }
    return node
  }

  private mutating func readAttribute(
    _ bytes: UnsafeRawBufferPointer
  ) throws(FileError) -> (String, ONNXModel.Attribute) {
    var fields = reader(bytes)
    var name = ""
    var attribute: ONNXModel.Attribute?
    var floats: [Float] = []
    var integers: [Int] = []
    var type = 0
    while let field = try fields.next() {
      switch field.number {
      case 1: name = field.text ?? ""
      case 2: attribute = field.float.map { .float($0) }
      case 3: attribute = field.integer.map { .integer($0) }
      case 4: attribute = field.text.map { .text($0) }
      case 5: if let bytes = field.bytes { attribute = .tensor(try readTensor(bytes)) }
      case 7: floats += field.floats
      case 8: integers += try field.integers(path: path)
      case 20: type = field.integer ?? 0
      default: break
      }
    }
    switch type {
    case 6: return (name, .floats(floats))
    case 7: return (name, .integers(integers))
    // proto3 leaves zeros out.
    case 1: return (name, attribute ?? .float(0))
    case 2: return (name, attribute ?? .integer(0))
    case 3: return (name, attribute ?? .text(""))
    default: return (name, attribute ?? .other)
    }
  }

  private func readValue(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> ONNXModel.Value {
    var value = ONNXModel.Value()
    var fields = reader(bytes)
    while let field = try fields.next() {
      if field.number == 1 { value.name = field.text ?? "" }
      guard field.number == 2, let type = field.bytes else { continue }
      // type > tensor_type > shape > dim
      for tensor in try messages(type, 1) {
        for shape in try messages(tensor, 2) {
          for dimension in try messages(shape, 1) {
            var fields = reader(dimension)
            var extent: Int?
            while let field = try fields.next() {
              if field.number == 1, let value = field.integer, value > 0 { extent = value }
            }
            value.dimensions.append(extent)
          }
        }
      }
    }
    return value
  }

  /// A message's fields of that number, as messages.
  private func messages(_ bytes: UnsafeRawBufferPointer, _ number: Int) throws(FileError) -> [UnsafeRawBufferPointer] {
    var fields = reader(bytes)
    var found: [UnsafeRawBufferPointer] = []
    while let field = try fields.next() {
      if field.number == number, let bytes = field.bytes { found.append(bytes) }
    }
    return found
  }

  private mutating func readTensor(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> ONNXTensor {
    var fields = reader(bytes)
    var name = ""
    var shape: [Int] = []
    var type = 0
    var raw: UnsafeRawBufferPointer?
    var floats: [Float] = []
    var integers: [Int] = []
    var location: [String: String] = [:]
    var isExternal = false
    while let field = try fields.next() {
      switch field.number {
      case 1: shape += try field.integers(path: path)
      case 2: type = field.integer ?? 0
      case 4: floats += field.floats
      case 5, 7: integers += try field.integers(path: path)
      case 8: name = field.text ?? ""
      case 9: raw = field.bytes
      case 10:
        if let bytes = field.bytes {
          for at in stride(from: 0, to: bytes.count - 7, by: 8) {
            floats.append(
              Float(Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))))
          }
        }
      case 13: if let bytes = field.bytes { try readEntry(bytes, into: &location) }
      case 14: isExternal = field.integer == 1
      default: break
      }
    }
    let subject = "tensor \(quoted(name))"
    guard let element = ONNXTensor.Element(rawValue: type) else {
      throw failure("\(subject) has elements of ONNX type \(type), expected floats, integers or booleans")
    }
    guard shape.allSatisfy({ $0 >= 0 }) else { throw failure("\(subject) has the shape \(shape)") }
    var count = 1
    for extent in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      guard !overflows, product < 1 << 40 else { throw failure("\(subject) has the shape \(shape)") }
      count = product
    }
    var file = file
    if isExternal {
      let stretch = try readExternal(location, subject: subject, bytes: count * element.bytes)
      file = stretch.file
      raw = stretch.bytes
    }
    let storage: ONNXTensor.Storage
    if let raw {
      guard raw.count == count * element.bytes else {
        throw failure("\(subject) of shape \(shape) has \(raw.count) bytes, expected \(count * element.bytes)")
      }
      storage = .raw(raw)
    } else {
      // Half precision in int32_data holds bits; nobody writes it.
      let isFloat = element == .float32 || element == .float64
      guard (isFloat ? floats.count : integers.count) == count, element != .float16, element != .bfloat16 else {
        throw failure(
          "\(subject) of shape \(shape) has \(isFloat ? floats.count : integers.count) values, expected \(count)")
      }
      storage = isFloat ? .floats(floats) : .integers(integers)
    }
    return ONNXTensor(name: name, shape: shape, element: element, storage: storage, file: file)
  }

  /// Data in a file beside the model's.
  private mutating func readExternal(
    _ location: [String: String], subject: String, bytes: Int
  ) throws(FileError) -> (file: MappedFile, bytes: UnsafeRawBufferPointer) {
    guard let name = location["location"], !name.isEmpty, !name.hasPrefix("/"),
      !name.split(separator: "/").contains("..")
    else {
      throw failure("\(subject) lies in \(quoted(location["location"] ?? "")), expected a file beside the model")
    }
    let place = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name).path
    let file: MappedFile
    if let known = external[place] { file = known } else { file = try MappedFile(path: place) }
    external[place] = file
    let offset = Int(location["offset"] ?? "0") ?? -1
    let length = location["length"].map { Int($0) ?? -1 } ?? bytes
    guard offset >= 0, length >= 0, offset <= file.bytes.count, length <= file.bytes.count - offset else {
      throw FileError(
        path: place,
        reason: "has \(file.bytes.count) bytes; \(subject) of \(path) is said to begin at \(offset), \(length) long")
    }
    return (file, UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + length]))
  }
}
