import Glibc

/// Replaces a file so that at every instant, kill and power cut included, the old or the new one is there, whole.
///
/// The caller holds the run directory's lock: two writers of one file would share the temporary name.
package struct AtomicFile {
  private let system: System

  package init(system: System = System()) { self.system = system }

  /// Returns once the new file is on the disk under its name. On an error the old one is untouched, unless the last
  /// step failed (the directory's fsync): then the new one is there, but a power cut may still undo that.
  /// - Parameters:
  ///   - verified: reads the bytes back from the disk before the old file gives way.
  ///   - keepingMode: the new file gets the old one's permissions.
  package func replace(
    _ path: String, with bytes: [UInt8], verified: Bool = false, keepingMode: Bool = false
  ) throws(SystemError) {
    var old = stat()
    let mode = keepingMode && stat(path, &old) == 0 ? old.st_mode & 0o7777 : nil
    try replace(path) { (temporary) throws(SystemError) in
      try write(bytes, to: temporary, mode: mode)
      if verified { try verify(temporary, holds: bytes) }
    }
  }

  /// Gives a file a second name. A hard link costs no space, so that it does not fail on a disk that is almost full.
  package func replace(_ path: String, withLinkTo source: String) throws(SystemError) {
    try replace(path) { (temporary) throws(SystemError) in
      try system.call("link", temporary) { link(source, temporary) }
    }
  }

  /// - Parameter create: makes the temporary file, whole and durable.
  private func replace(
    _ path: String, create: (_ temporary: String) throws(SystemError) -> Void
  ) throws(SystemError) {
    let temporary = "\(path).tmp.\(getpid())"
    // One of an earlier attempt that could not be removed then, or of a dead process with our number.
    unlinkIfPresent(temporary)
    // Also after success: rename does nothing when both names are links to one file.
    defer { unlinkIfPresent(temporary) }
    try create(temporary)
    try system.call("rename", path) { rename(temporary, path) }
    try system.synchronizeDirectory(System.parentDirectory(path))
  }

  private func write(_ bytes: [UInt8], to path: String, mode: mode_t?) throws(SystemError) {
    // Nobody reads a private file in the moment before it is as private as the old one.
    let descriptor = try system.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode == nil ? 0o644 : 0o600)
    do throws(SystemError) {
      if let mode { try system.call("fchmod", path) { fchmod(descriptor, mode) } }
      try reserve(bytes.count, descriptor, path)
      try system.write(bytes, to: descriptor, path: path)
      // A failed fsync is not tried again: the kernel has by then marked the pages clean, and the second call would
      // report success for bytes that were never written (Rebello et al., ATC 2020).
      try system.call("fsync", path) { fsync(descriptor) }
    } catch {
      close(descriptor)
      throw error
    }
    try system.call("close", path) { close(descriptor) }
  }

  /// Fails for want of space before the first byte is written.
  private func reserve(_ count: Int, _ descriptor: Int32, _ path: String) throws(SystemError) {
    guard count > 0 else { return }
    do throws(SystemError) {
      try system.callReturningCode("posix_fallocate", path) { posix_fallocate(descriptor, 0, off_t(count)) }
    } catch  where error.code == EOPNOTSUPP || error.code == EINVAL {
      // Not every file system can; write will tell then.
    }
  }

  private func verify(_ path: String, holds bytes: [UInt8]) throws(SystemError) {
    let descriptor = try system.open(path, O_RDONLY | O_NOFOLLOW)
    defer { close(descriptor) }
    // So that the bytes come from the disk, where the file system lets go of its copy.
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var done = 0
    while true {
      let count = try system.call("read", path) { read(descriptor, &buffer, buffer.count) }
      guard count > 0 else { break }
      guard bytes[done...].starts(with: buffer[..<count]) else { break }
      done += count
    }
    guard done == bytes.count else { throw SystemError(call: "verify", path: path, code: EIO) }
  }

  private func unlinkIfPresent(_ path: String) {
    // What stays behind is removed at the next start.
    _ = try? system.call("unlink", path) { unlink(path) }
  }
}
