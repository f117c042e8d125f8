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
  package init(path: String) throws(FileError) {
    let descriptor: Int32
    let count: Int
    do throws(RegularFile.Refusal) {
      (descriptor, count) = try RegularFile.open(path)
    } catch { throw FileError(path: path, reason: error.reasonOfData + ShellPath.hint(path)) }
    defer { close(descriptor) }
    self.path = path
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)  // mmap refuses a length of 0
      return
    }
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw FileError(path: path, reason: "cannot be mapped: \(String(cString: strerror(errno)))")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: count)
  }

  deinit {
    if let address = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }
  }
}
