import Foundation

/// A regular file, mapped read-only. Pages are read when they are touched, so opening a large file costs nothing.
///
/// A file that is cut short while it is mapped ends the process with SIGBUS at the next touch: no error can be thrown
/// for a plain memory access. Files must not change during a run.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  /// The whole file; of length 0 where the file is empty.
  package let bytes: UnsafeRawBufferPointer

  /// Throws where `path` is missing, unreadable, or not a regular file (a directory, a FIFO, a device).
  package init(path: String) throws(FormatError) {
    // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw FormatError(path: path, reason: Self.systemReason() + ShellPath.hint(path)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FormatError(path: path, reason: Self.systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FormatError(path: path, reason: "is \(Self.kind(status.st_mode)), expected a regular file")
    }
    self.path = path
    let count = Int(status.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)  // mmap refuses a length of 0
      return
    }
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw FormatError(path: path, reason: "cannot be mapped: \(Self.systemReason())")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: count)
  }

  deinit {
    if let address = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }
  }

  private static func systemReason() -> String {
    switch errno {
    case ENOENT: "no such file"
    case let code: String(cString: strerror(code))
    }
  }

  private static func kind(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }
}
