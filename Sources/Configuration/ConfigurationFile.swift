import Files
import Foundation

/// The bytes of a configuration file, from a path that may name anything.
package enum ConfigurationFile {
  /// The text, after checks that need no reading: a FIFO, a directory or a huge file is refused at once.
  package static func read(_ path: String) throws(ConfigurationError) -> String {
    let source = ConfigurationSource.file(path)
    let descriptor: Int32
    let size: Int
    do throws(RegularFile.Refusal) {
      (descriptor, size) = try RegularFile.open(path)
    } catch {
      switch error {
      case .kind(.directory): throw source.error("is a directory; expected a YAML file")
      case .kind: throw source.error("is not a regular file; expected a YAML file")
      case .system(_, let code): throw source.systemError(code, hint: ShellPath.hint(path))
      case .link: throw source.error(error.reason)
      }
    }
    defer { close(descriptor) }

    let limit = ConfigurationYAML.sizeLimit
    guard size <= limit else {
      throw source.error("\(size) bytes, more than the \(limit) that a configuration may have")
    }
    return try decode(try bytes(descriptor, limit: limit, source), source)
  }

  /// At most one byte more than `limit`, however the file grows.
  private static func bytes(
    _ descriptor: Int32, limit: Int, _ source: ConfigurationSource
  ) throws(ConfigurationError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: limit + 1)
    var filled = 0
    while filled < buffer.count {
      let count = buffer.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress! + filled, $0.count - filled)
      }
      if count == 0 { break }
      if count > 0 { filled += count } else if errno != EINTR { throw source.systemError(errno) }
    }
    return Array(buffer[..<filled])
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
  fileprivate func systemError(_ code: Int32, hint: String = "") -> ConfigurationError {
    error("cannot be read: \(String(cString: strerror(code)))\(hint)")
  }
}
