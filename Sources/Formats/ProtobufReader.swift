import Files

/// Walks one message of protobuf's wire format, field by field, without copying. Every length is checked against the
/// bytes there are; what a field means is the caller's.
///
/// Of our own, since the files are large: swift-protobuf copies every weight of a model, and generates 4,000 lines for
/// a dozen messages of which we read a few fields.
package struct ProtobufReader {
  package enum Payload {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(UnsafeRawBufferPointer)
  }

  package struct Field {
    package var number: Int
    package var payload: Payload
  }

  private let message: UnsafeRawBufferPointer
  private let path: String
  private var position = 0

  /// `path` is named in errors. The bytes must outlive the reader and what it hands out.
  package init(_ message: UnsafeRawBufferPointer, path: String) {
    self.message = message
    self.path = path
  }

  /// The next field; nil at the end of the message.
  package mutating func next() throws(FileError) -> Field? {
    guard !isAtEnd else { return nil }
    let key = try varint()
    let number = Int(key >> 3)
    guard number > 0, key >> 3 < 1 << 29 else { throw failure("field number \(key >> 3)") }
    switch key & 7 {
    case 0: return Field(number: number, payload: .varint(try varint()))
    case 1: return Field(number: number, payload: .fixed64(UInt64(littleEndian: try load())))
    case 2: return Field(number: number, payload: .bytes(try take(try varint())))
    case 5: return Field(number: number, payload: .fixed32(UInt32(littleEndian: try load())))
    default: throw failure("wire type \(key & 7)")
    }
  }

  fileprivate var isAtEnd: Bool { position == message.count }

  fileprivate mutating func varint() throws(FileError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < message.count else { throw failure("the end within a number") }
      let byte = message[position]
      position += 1
      guard shift < 63 || byte <= 1 else { throw failure("a number of more than 64 bits") }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    throw failure("a number of more than 64 bits")
  }

  private mutating func take(_ count: UInt64) throws(FileError) -> UnsafeRawBufferPointer {
    guard count <= UInt64(message.count - position) else {
      throw failure("a field of \(count) bytes where \(message.count - position) are left")
    }
    defer { position += Int(count) }
    return UnsafeRawBufferPointer(rebasing: message[position..<position + Int(count)])
  }

  private mutating func load<Value: FixedWidthInteger>() throws(FileError) -> Value {
    try take(UInt64(MemoryLayout<Value>.size)).loadUnaligned(as: Value.self)
  }

  package func failure(_ what: String) -> FileError {
    FileError(path: path, reason: "not a valid protobuf message: \(what), at byte \(position) of \(message.count)")
  }
}

extension ProtobufReader.Field {
  /// The field as what the message's definition says it is; nil where it is something else.
  package var integer: Int? {
    if case .varint(let value) = payload { Int(truncatingIfNeeded: Int64(bitPattern: value)) } else { nil }
  }
  package var float: Float? { if case .fixed32(let bits) = payload { Float(bitPattern: bits) } else { nil } }
  package var bytes: UnsafeRawBufferPointer? { if case .bytes(let bytes) = payload { bytes } else { nil } }
  package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// A repeated number's values: one, or many packed.
  package func integers(path: String) throws(FileError) -> [Int] {
    if let integer { return [integer] }
    guard let bytes else { return [] }
    var reader = ProtobufReader(bytes, path: path)
    var values: [Int] = []
    while !reader.isAtEnd { values.append(Int(truncatingIfNeeded: try reader.varint())) }
    return values
  }

  package var floats: [Float] {
    if let float { return [float] }
    guard let bytes, bytes.count % 4 == 0 else { return [] }
    return (0..<bytes.count / 4).map {
      Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
    }
  }
}
