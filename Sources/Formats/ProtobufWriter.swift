/// Writes one message of protobuf's wire format, field by field: what `ProtobufReader` reads. A message within another
/// is made first, since its length comes before it.
///
/// Of our own for the reader's reason: for the few kinds of fields that ONNX and event files take, a generated library
/// would be ten times as long as this, and copy every weight once more.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ number: Int, wireType: Int) { varint(UInt64(number << 3 | wireType)) }

  mutating func integer(_ number: Int, _ value: Int) {
    key(number, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ number: Int, _ value: Float) {
    key(number, wireType: 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func double(_ number: Int, _ value: Double) {
    key(number, wireType: 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// A packed repeated field.
  mutating func doubles(_ number: Int, _ values: [Double]) {
    raw(number, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
  }

  mutating func text(_ number: Int, _ value: String) { raw(number, Array(value.utf8)) }

  mutating func raw(_ number: Int, _ value: some Collection<UInt8>) {
    key(number, wireType: 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// One field for each number, which every reader takes, packed or not.
  mutating func integers(_ number: Int, _ values: [Int]) { for value in values { integer(number, value) } }

  mutating func message(_ number: Int, _ write: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    write(&inner)
    raw(number, inner.bytes)
  }
}
