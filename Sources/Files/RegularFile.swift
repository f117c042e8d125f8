import Glibc
import Runtime

/// Opens and reads what must be a regular file. A pipe would wait for ever and a device has no size, so both are
/// refused.
package enum RegularFile {
  /// Why a path is not opened.
  package enum Refusal: Error, Sendable {
    /// A system call, and errno.
    case system(call: String, code: Int32)
    /// A symbolic link where none is followed.
    case link
    case kind(FileKind)

    package var reason: String {
      switch self {
      case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
      case .link: "open: a symbolic link is not followed here"
      case .kind(let kind): "not a regular file but \(kind.name)"
      }
    }
  }

  /// A descriptor, which the caller closes, and the file's size in bytes.
  /// - Parameter followLinks: false refuses a symbolic link, for folders that others may write to.
  package static func open(_ path: String, followLinks: Bool = true) throws(Refusal) -> (descriptor: Int32, size: Int) {
    // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else {
      throw errno == ELOOP && !followLinks ? .link : .system(call: "open", code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(call: "fstat", code: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .kind(FileKind(mode: status.st_mode))
    }
    return (descriptor, Int(status.st_size))
  }

  /// The first `count` bytes, or all where there are fewer.
  package static func prefix(_ path: String, count: Int, followLinks: Bool = true) throws(Refusal) -> [UInt8] {
    let descriptor = try open(path, followLinks: followLinks).descriptor
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let received = Glibc.read(descriptor, &bytes, count)
    guard received >= 0 else { throw .system(call: "read", code: errno) }
    return Array(bytes.prefix(received))
  }

  /// All bytes.
  /// - Parameter limit: refuses a larger file; by default this machine's memory, since a sparse file of a terabyte
  ///   costs its author nothing, and asking for the room would end this process.
  package static func read(
    _ path: String, followLinks: Bool = true, limit: Int? = nil
  ) throws(FormatError) -> [UInt8] {
    let descriptor: Int32
    let size: Int
    do throws(Refusal) {
      (descriptor, size) = try open(path, followLinks: followLinks)
    } catch { throw FormatError(path: path, reason: error.reason + ShellPath.hint(path)) }
    defer { close(descriptor) }
    guard size <= limit ?? .max else {
      throw FormatError(path: path, reason: "\(size) bytes, more than the \(limit!) that it may have")
    }
    guard size < HostMemory.part(1) else {
      throw FormatError(path: path, reason: "\(size) bytes are more than this machine's memory")
    }
    var failed: FormatError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let received = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
        if received > 0 {
          count += received
        } else if received == 0 {
          failed = FormatError(path: path, reason: "shrank to \(count) of \(size) bytes while it was read")
          return
        } else if errno != EINTR {
          failed = FormatError(path: path, reason: Refusal.system(call: "read", code: errno).reason)
          return
        }
      }
    }
    if let failed { throw failed }
    return bytes
  }
}
