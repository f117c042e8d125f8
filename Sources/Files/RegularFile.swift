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
    /// Larger than it may be; nil: than the machine's memory.
    case size(Int, limit: Int?)
    /// It holds fewer bytes by now than when it was opened.
    case short(Int, Int)

    package var reason: String {
      switch self {
      case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
      case .link: "open: a symbolic link is not followed here"
      case .kind(let kind): "not a regular file but \(kind.name)"
      case .size(let size, let limit?): "\(size) bytes, more than the \(limit) that it may have"
      case .size(let size, nil): "\(size) bytes are more than this machine's memory"
      case .short(let count, let size): "shrank to \(count) of \(size) bytes while it was read"
      }
    }

    /// The same, of a file that the user's data is made of: without the system call.
    package var reasonOfData: String {
      switch self {
      case .system(_, ENOENT): "no such file"
      case .system(_, let code): String(cString: strerror(code))
      case .kind(let kind): "is \(kind.name), expected a regular file"
      default: reason
      }
    }

    /// Whether the path may be meant otherwise.
    var isOfPath: Bool {
      switch self {
      case .system, .link, .kind: true
      case .size, .short: false
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
    return try bytes(descriptor, count: count)
  }

  /// All bytes.
  /// - Parameter limit: refuses a larger file; by default this machine's memory, since a sparse file of a terabyte
  ///   costs its author nothing, and asking for the room would end this process.
  package static func read(
    _ path: String, followLinks: Bool = true, limit: Int? = nil
  ) throws(FileError) -> [UInt8] {
    do throws(Refusal) {
      let (descriptor, size) = try open(path, followLinks: followLinks)
      defer { close(descriptor) }
      guard size <= limit ?? .max else { throw .size(size, limit: limit!) }
      guard size < sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) else { throw .size(size, limit: nil) }
      let bytes = try bytes(descriptor, count: size)
      guard bytes.count == size else { throw .short(bytes.count, size) }
      return bytes
    } catch {
      throw FileError(path: path, reason: error.reason + (error.isOfPath ? ShellPath.hint(path) : ""))
    }
  }

  /// `count` bytes of an open file from `offset` on, in as many calls as it takes; fewer where the file ends before.
  package static func bytes(_ descriptor: Int32, at offset: Int = 0, count: Int) throws(Refusal) -> [UInt8] {
    var failure: Refusal?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let received = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
        if received < 0, errno == EINTR { continue }
        if received < 0 { failure = .system(call: "read", code: errno) }
        guard received > 0 else { return }
        filled += received
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
