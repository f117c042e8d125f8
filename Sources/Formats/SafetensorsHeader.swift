import Files

/// The JSON header of a safetensors file, read by one that knows this one grammar.
///
/// General JSON parsers accept a key twice and keep one of the two, so that two readers can see two different files
/// in the same bytes. This one refuses, and since it knows what may come next it neither nests nor recurses.
struct SafetensorsHeader {
  /// As NumPy and PyTorch.
  private static let dimensionLimit = 64
  /// Tables grow by doubling: that of the metadata to 85 bytes for an entry of ten. Our checkpoints have a checksum for
  /// each of their tensors, 1,400 for ResNet-110 with AdamW.
  static let metadataLimit = 32768

  /// In the header's order.
  private(set) var tensors: [TensorInfo] = []
  private(set) var metadata: [String: String] = [:]

  init(_ bytes: ArraySlice<UInt8>, path: String) throws(FileError) {
    var cursor = TextCursor(bytes, path: path)
    var names: Set<String> = []
    try cursor.object { (cursor, name) throws(FileError) in
      guard names.insert(name).inserted else { throw cursor.failure("\(quoted(name)) occurs twice") }
      if name == SafetensorsFile.metadataName {
        metadata = try Self.metadata(&cursor)
      } else {
        tensors.append(try Self.tensor(name, &cursor))
      }
    }
    try cursor.end()
  }

  private static func metadata(_ cursor: inout TextCursor) throws(FileError) -> [String: String] {
    var metadata: [String: String] = [:]
    try cursor.object { (cursor, key) throws(FileError) in
      guard metadata.updateValue(try cursor.string(), forKey: key) == nil else {
        throw cursor.failure("metadata key \(quoted(key)) occurs twice")
      }
      guard metadata.count <= metadataLimit else {
        throw cursor.failure("more than \(metadataLimit) entries of metadata")
      }
    }
    return metadata
  }

  /// `{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`
  private static func tensor(
    _ name: String, _ cursor: inout TextCursor
  ) throws(FileError) -> TensorInfo {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try cursor.object { (cursor, key) throws(FileError) in
      switch key {
      case "dtype" where type == nil:
        let found = try cursor.string()
        type = ElementType(rawValue: found)
        guard type != nil else {
          throw cursor.failure("tensor \(quoted(name)) has the unknown dtype \(quoted(found))")
        }
      case "shape" where shape == nil: shape = try cursor.integers(limit: dimensionLimit)
      case "data_offsets" where offsets == nil: offsets = try cursor.integers(limit: 2)
      case "dtype", "shape", "data_offsets":
        throw cursor.failure("tensor \(quoted(name)) has \(key) twice")
      default:
        throw cursor.failure("tensor \(quoted(name)) has the unknown key \(quoted(key))")
      }
    }
    guard let type, let shape, let offsets else {
      throw cursor.failure("tensor \(quoted(name)) lacks dtype, shape or data_offsets")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw cursor.failure("tensor \(quoted(name)) has data_offsets \(offsets), expected [begin, end]")
    }
    return TensorInfo(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }
}

/// A name from a file as a message may show it: no control characters, no more than a line.
package func quoted(_ text: String) -> String {
  let cut = text.unicodeScalars.prefix(80)
  let visible = cut.map { scalar in
    // Terminals obey U+009B and its like as they do ESC [; `escaped` leaves them.
    let isHostile = scalar.properties.isPatternWhitespace && scalar != " " || 0x80..<0xA0 ~= scalar.value
    return isHostile ? "?" : scalar.escaped(asASCII: false)
  }
  return "'\(visible.joined())\(cut.endIndex == text.unicodeScalars.endIndex ? "" : "...")'"
}
