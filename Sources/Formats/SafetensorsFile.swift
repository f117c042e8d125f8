import Files

/// A safetensors file in memory: `[UInt64 N][N bytes of JSON][buffer]`, all little-endian.
///
/// Nothing the file says is believed before it is checked: sizes against the file's own size, products for overflow,
/// and the tensors must tile the buffer from its first byte to its last, so that no byte is read twice or never.
package struct SafetensorsFile: Sendable {
  /// Of the format's own definition.
  package static let headerLimit = 100_000_000
  static let metadataName = "__metadata__"

  package let path: String
  package let metadata: [String: String]
  /// In the order of their bytes.
  package let tensors: [TensorInfo]

  private let bytes: [UInt8]
  private let bufferStart: Int
  private let indices: [String: Int]

  /// Reads and checks the file at `path`; the values are read later, by name.
  /// - Parameter followLinks: false refuses a symbolic link, for directories that others may write to.
  package init(path: String, followLinks: Bool = true) throws(FileError) {
    let bytes: [UInt8]
    do {
      bytes = try RegularFile.read(path, followLinks: followLinks)
    } catch {
      guard let advice = ForeignFile.advice(onDirectory: path) else { throw error }
      throw FileError(path: path, reason: "\(error.reason); \(advice)")
    }
    try self.init(bytes: bytes, path: path)
  }

  /// - Parameter path: what errors call these bytes.
  package init(bytes: [UInt8], path: String) throws(FileError) {
    self.bytes = bytes
    self.path = path
    bufferStart = try Self.bufferStart(bytes, path: path)
    let header = try SafetensorsHeader(bytes[8..<bufferStart], path: path)
    metadata = header.metadata
    // An empty tensor may share its offset with the tensor whose bytes begin there, and then comes first.
    tensors = header.tensors.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    indices = Dictionary(uniqueKeysWithValues: zip(tensors.map(\.name), tensors.indices))
    try checkTiling()
  }

  package subscript(name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

  /// The header's JSON with its padding, without the length before it.
  package var header: ArraySlice<UInt8> { bytes[8..<bufferStart] }

  /// The whole file.
  package var contents: [UInt8] { bytes }

  /// The bytes of one of this file's tensors.
  package func withBytes<Result>(
    of tensor: TensorInfo, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(self[tensor.name] == tensor, "\(tensor.name) is not of \(path)")
    return try bytes.withUnsafeBytes {
      try body(
        UnsafeRawBufferPointer(
          rebasing: $0[bufferStart + tensor.range.lowerBound..<bufferStart + tensor.range.upperBound]))
    }
  }

  /// Where the buffer begins: 8 + N.
  private static func bufferStart(_ bytes: [UInt8], path: String) throws(FileError) -> Int {
    func foreign(_ reason: String) -> FileError {
      FileError(path: path, reason: ForeignFile.name(of: bytes).map { "not a safetensors file, but \($0)" } ?? reason)
    }
    guard bytes.count >= 8 else { throw foreign("\(bytes.count) bytes are too few for a safetensors file") }
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(headerLimit) else {
      throw foreign("not a safetensors file: header length \(length), at most \(headerLimit) is allowed")
    }
    let end = 8 + Int(length)
    guard end <= bytes.count else {
      throw foreign("cut off: the header ends at byte \(end), the file at \(bytes.count)")
    }
    guard end > 8, bytes[8] == UInt8(ascii: "{") else {
      throw foreign("not a safetensors file: the header does not begin with '{'")
    }
    return end
  }

  private func checkTiling() throws(FileError) {
    var end = 0
    for tensor in tensors {
      let found = tensor.range
      guard found.lowerBound == end else {
        let kind = found.lowerBound < end ? "overlaps the one before" : "leaves a hole before it"
        throw FileError(
          path: path,
          reason: "tensor \(quoted(tensor.name)) begins at \(found.lowerBound), not at \(end): \(kind)")
      }
      guard let size = tensor.type.byteCount(shape: tensor.shape), size == found.count else {
        throw FileError(
          path: path,
          reason: "tensor \(quoted(tensor.name)): \(tensor.type.rawValue) of shape \(summary(tensor.shape))"
            + " does not fill its \(found.count) bytes")
      }
      end = found.upperBound
    }
    let size = bytes.count - bufferStart
    guard end == size else {
      let kind = end > size ? "cut off" : "something follows the last tensor"
      throw FileError(
        path: path, reason: "\(kind): the tensors take \(end) bytes, the file has \(size) for them")
    }
  }

  /// A hostile shape may have millions of dimensions.
  private func summary(_ shape: [Int]) -> String {
    shape.count <= 8 ? "\(shape)" : "\(shape.prefix(8))... (\(shape.count) dimensions)"
  }
}
