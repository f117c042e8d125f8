import Formats
import Foundation
import Runtime
import Synchronization

/// Reads the bytes of pictures, from any thread.
final class PictureFiles: Sendable {
  /// Archives stay open, up to so many.
  private static let mostOpenArchives = 256

  /// The containers of a listing or an index.
  private let containers: [String]
  private let areArchives: Bool
  private let descriptors = Mutex<[Int: Int32]>([:])

  init(containers: [String], areArchives: Bool) {
    self.containers = containers
    self.areArchives = areArchives
  }

  deinit { for descriptor in descriptors.withLock({ $0.values }) { close(descriptor) } }

  /// A whole file. Throws where it is not a regular one, or of 4 GiB and more.
  static func contents(of path: String) throws(DataError) -> [UInt8] {
    // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError(path: visible(path), reason: systemReason()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw DataError(path: visible(path), reason: systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DataError(path: visible(path), reason: "is not a regular file")
    }
    guard status.st_size < 1 << 32 else {
      throw DataError(path: visible(path), reason: "holds \(counted(Int(status.st_size), "byte")): no picture")
    }
    return try read(descriptor, at: 0, count: Int(status.st_size), path: path)
  }

  /// `count` bytes of an archive from `offset` on.
  func contents(ofArchive container: Int, at offset: Int, count: Int) throws(DataError) -> [UInt8] {
    let path = containers[container]
    let (descriptor, stays) = try self.descriptor(container)
    defer { if !stays { close(descriptor) } }
    return try Self.read(descriptor, at: offset, count: count, path: path)
  }

  private func descriptor(_ container: Int) throws(DataError) -> (Int32, stays: Bool) {
    if let known = descriptors.withLock({ $0[container] }) { return (known, true) }
    let descriptor = open(containers[container], O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError(path: containers[container], reason: Self.systemReason()) }
    let kept = descriptors.withLock { open -> Int32? in
      if let other = open[container] { return other }
      guard open.count < Self.mostOpenArchives else { return nil }
      open[container] = descriptor
      return descriptor
    }
    if let kept, kept != descriptor { close(descriptor) }
    return (kept ?? descriptor, kept != nil)
  }

  private static func read(_ descriptor: Int32, at offset: Int, count: Int, path: String) throws(DataError) -> [UInt8] {
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let got = pread(descriptor, buffer.baseAddress! + initialized, count - initialized, off_t(offset + initialized))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else {
          failure = got < 0 ? systemReason() : "ends at byte \(offset + initialized), expected \(offset + count) bytes"
          return
        }
        initialized += got
      }
    }
    if let failure { throw DataError(path: visible(path), reason: failure) }
    return bytes
  }

  static func systemReason() -> String { errno == ENOENT ? "no such file" : String(cString: strerror(errno)) }
}
