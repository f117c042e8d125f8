import Files
import Formats

/// The state of a run at a step's end: all it takes to go on from there.
package struct Snapshot: Sendable {
  /// Weights and running statistics under PyTorch's names, `optimizer.<slot>.<parameter>` for the optimiser's state.
  package var tensors: [NamedTensor]
  /// Config, epoch, position, seed, versions, running sums. The store adds and checks `format_version`, `step`,
  /// `best_metric`, `best_step` and the checksums.
  package var metadata: [String: String]

  package init(tensors: [NamedTensor], metadata: [String: String]) {
    self.tensors = tensors
    self.metadata = metadata
  }
}

extension Snapshot {
  /// Bytes of a state of so many numbers.
  package static func stateBytes(values: Int) -> Double { 4 * Double(values) }

  /// Bytes of its file; names, checksums, configuration and network come to little.
  package static func fileBytes(values: Int) -> Double { stateBytes(values: values) + 0x1p18 }

  /// Bytes that a save takes at most: the copy of the state, and the file before it is written.
  package static func bytesWhileSaving(values: Int) -> Double {
    stateBytes(values: values) + fileBytes(values: values)
  }
}

/// A snapshot as the bytes of a safetensors file, each of them under a checksum.
///
/// `checksum.<tensor>` is the CRC-32 of the tensor's bytes; `checksum` is that of the header's JSON, padding
/// included, with its own eight digits as zeros. The eight bytes before the header need none: a wrong length does
/// not fit the file's size.
enum CheckpointFormat {
  static let version = "1"
  private static let headerKey = "checksum"
  private static let tensorPrefix = "checksum."
  private static let versionKey = "format_version"

  static func encode(_ snapshot: Snapshot) -> [UInt8] {
    var metadata = snapshot.metadata
    metadata[versionKey] = version
    metadata[headerKey] = "00000000"
    for tensor in snapshot.tensors {
      precondition(tensor.name.isTensorName, "'\(tensor.name)' is no name for a checkpoint's tensor")
      metadata[tensorPrefix + tensor.name] = Checksum.hexadecimal(tensor.withBytes { Checksum.crc32($0) })
    }
    let header = SafetensorsWriter.header(tensors: snapshot.tensors, metadata: metadata)
    metadata[headerKey] = Checksum.hexadecimal(Checksum.crc32(header))
    return SafetensorsWriter.encode(tensors: snapshot.tensors, metadata: metadata)
  }

  static func decode(_ file: SafetensorsFile) throws(FileError) -> Snapshot {
    guard let found = file.metadata[versionKey] else {
      throw FileError(
        path: file.path, reason: "not a checkpoint of this program: no \(versionKey) in its metadata")
    }
    guard found == version else {
      throw FileError(
        path: file.path, reason: "\(versionKey) \(quoted(found)), but this program reads version \(version)")
    }
    try verify(file)
    var tensors: [NamedTensor] = []
    for info in file.tensors {
      guard info.name.isTensorName, info.type == .float32 || info.type == .int64 else {
        throw FileError(
          path: file.path,
          reason: "tensor \(quoted(info.name)) (\(info.type.rawValue)) has no place in a checkpoint")
      }
      tensors.append(try file.tensor(info.name))
    }
    return Snapshot(tensors: tensors, metadata: file.metadata.filter { !isChecksum($0.key) })
  }

  /// Whether the file says that it carries checksums; one of PyTorch does not.
  static func hasChecksums(_ file: SafetensorsFile) -> Bool {
    file.metadata.keys.contains { isChecksum($0) || $0 == versionKey }
  }

  /// Checks the header, then each tensor.
  static func verify(_ file: SafetensorsFile) throws(FileError) {
    guard let expected = file.metadata[headerKey],
      let digits = file.header.firstRange(of: Array("\"\(headerKey)\":\"\(expected)\"".utf8))
    else { throw FileError(path: file.path, reason: "damaged: the header carries no checksum") }
    var header = Array(file.header)
    // The same slice's indices, from zero: the digits stand before the closing quote.
    let end = digits.upperBound - file.header.startIndex - 1
    header.replaceSubrange(end - expected.utf8.count..<end, with: "00000000".utf8)
    guard Checksum.hexadecimal(Checksum.crc32(header)) == expected else {
      throw FileError(path: file.path, reason: "damaged: the header does not match its checksum")
    }
    for tensor in file.tensors {
      let found = Checksum.hexadecimal(file.withBytes(of: tensor) { Checksum.crc32($0) })
      guard found == file.metadata[tensorPrefix + tensor.name] else {
        throw FileError(
          path: file.path, reason: "damaged: tensor \(quoted(tensor.name)) does not match its checksum")
      }
    }
  }

  private static func isChecksum(_ key: String) -> Bool { key == headerKey || key.hasPrefix(tensorPrefix) }
}
