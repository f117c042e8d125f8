import Files
import Foundation

/// The bytes of a configuration file, from a path that may name anything.
package enum ConfigurationFile {
  /// The text, after checks that need no reading: a FIFO, a directory or a huge file is refused at once.
  package static func read(_ path: String) throws(ConfigurationError) -> String {
    let source = ConfigurationSource.file(path)
    let bytes: [UInt8]
    do throws(RegularFile.Refusal) {
      let limit = ConfigurationYAML.sizeLimit
      let (descriptor, size) = try RegularFile.open(path)
      defer { close(descriptor) }
      guard size <= limit else { throw .size(size, limit: limit) }
      // At most one byte more than it may have, however the file grows.
      bytes = try RegularFile.bytes(descriptor, count: limit + 1)
    } catch { throw source.refused(error) }
    return try decode(bytes, source)
  }

  static func decode(_ bytes: [UInt8], _ source: ConfigurationSource) throws(ConfigurationError) -> String {
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let bytes = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
    if let text = String(validating: bytes, as: UTF8.self) { return text }

    // Slow, and only to say where.
    var position = TextPosition()
    var (decoder, iterator) = (UTF8(), bytes.makeIterator())
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { position.pass(scalar) }
    throw source.error("not UTF-8 text", at: position)
  }
}

extension ConfigurationSource {
  fileprivate func refused(_ refusal: RegularFile.Refusal) -> ConfigurationError {
    switch refusal {
    case .kind(.directory): error("is a directory; expected a YAML file")
    case .kind: error("is not a regular file; expected a YAML file")
    case .system(_, let code): error("cannot be read: \(String(cString: strerror(code)))")
    case .size(let size, let limit?): error("\(size) bytes, more than the \(limit) that a configuration may have")
    default: error(refusal.reason)
    }
  }
}
