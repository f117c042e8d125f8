/// Writes what the `safetensors` Python package writes, byte for byte: types by descending alignment, then names.
package enum SafetensorsWriter {
  /// The whole file. Metadata comes first, sorted by key (the package's own order is random); none where empty.
  /// - Precondition: names are unique and none is `__metadata__`.
  package static func encode(tensors: [NamedTensor], metadata: [String: String] = [:]) -> [UInt8] {
    let tensors = sorted(tensors)
    let header = header(sorted: tensors, metadata: metadata)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + tensors.reduce(0) { $0 + $1.withBytes(\.count) })
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: header)
    for tensor in tensors { tensor.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// The JSON with the spaces that bring the buffer to a multiple of 8.
  package static func header(tensors: [NamedTensor], metadata: [String: String] = [:]) -> [UInt8] {
    header(sorted: sorted(tensors), metadata: metadata)
  }

  private static func header(sorted tensors: [NamedTensor], metadata: [String: String]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        "\"\(SafetensorsFile.metadataName)\":{"
          + pairs.map { "\(string($0.key)):\(string($0.value))" }.joined(separator: ",") + "}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.withBytes(\.count)
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(string(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    header.append(contentsOf: repeatElement(0x20, count: (8 - header.count % 8) % 8))
    precondition(header.count <= SafetensorsFile.headerLimit, "a header of \(header.count) bytes")
    return header
  }

  /// Names compare by their bytes, as in Rust; Swift's own order of strings is Unicode's.
  private static func sorted(_ tensors: [NamedTensor]) -> [NamedTensor] {
    precondition(
      Set(tensors.map(\.name) + [SafetensorsFile.metadataName]).count == tensors.count + 1,
      "tensor names must be unique, and not \(SafetensorsFile.metadataName)")
    let rank = Dictionary(uniqueKeysWithValues: zip(ElementType.allCases, 0...))
    return tensors.sorted {
      let (left, right) = (rank[$0.type]!, rank[$1.type]!)
      return left != right ? left > right : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
  }

  /// A JSON string with the escapes of serde_json, and no others.
  private static func string(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case "\u{8}": json += "\\b"
      case "\u{C}": json += "\\f"
      case "\n": json += "\\n"
      case "\r": json += "\\r"
      case "\t": json += "\\t"
      case "\u{0}"..<" ": json += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}
