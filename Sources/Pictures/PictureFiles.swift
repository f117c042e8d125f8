import Files
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
  static func contents(of path: String) throws(FileError) -> [UInt8] {
    do throws(RegularFile.Refusal) {
      let (descriptor, size) = try RegularFile.open(path)
      defer { close(descriptor) }
      guard size < 1 << 32 else { throw .size(size, limit: 1 << 32) }
      return try read(descriptor, at: 0, count: size)
    } catch { throw refused(path, error) }
  }

  /// `count` bytes of an archive from `offset` on.
  func contents(ofArchive container: Int, at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    do throws(RegularFile.Refusal) {
      let (descriptor, stays) = try self.descriptor(container)
      defer { if !stays { close(descriptor) } }
      return try Self.read(descriptor, at: offset, count: count)
    } catch { throw Self.refused(containers[container], error) }
  }

  private func descriptor(_ container: Int) throws(RegularFile.Refusal) -> (Int32, stays: Bool) {
    if let known = descriptors.withLock({ $0[container] }) { return (known, true) }
    let descriptor = try RegularFile.open(containers[container]).descriptor
    let kept = descriptors.withLock { open -> Int32? in
      if let other = open[container] { return other }
      guard open.count < Self.mostOpenArchives else { return nil }
      open[container] = descriptor
      return descriptor
    }
    if let kept, kept != descriptor { close(descriptor) }
    return (kept ?? descriptor, kept != nil)
  }

  private static func read(
    _ descriptor: Int32, at offset: Int, count: Int
  ) throws(RegularFile.Refusal) -> [UInt8] {
    let bytes = try RegularFile.bytes(descriptor, at: offset, count: count)
    guard bytes.count == count else { throw .short(offset + bytes.count, offset + count) }
    return bytes
  }

  private static func refused(_ path: String, _ refusal: RegularFile.Refusal) -> FileError {
    let reason =
      switch refusal {
      case .size(let size, _): "holds \(size) bytes: no picture"
      case .short(let end, let expected): "ends at byte \(end), expected \(expected) bytes"
      default: refusal.reasonOfData
      }
    return FileError(path: visible(path), reason: reason)
  }
}
