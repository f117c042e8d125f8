import Files
import Formats
import Foundation
import Synchronization

/// Decoded pictures in a mapped file, which the ranks of a host fill together as they need them: a picture is decoded
/// once.
///
/// A header; a word a picture, its checksum and whether it is there; then the pixels, one picture after the other.
/// Pixels are written before their word, and checked against it when they are first read in a process: what a crash or
/// a full disk left half is decoded again. The whole space is taken when the file is made.
final class DecodedCache: @unchecked Sendable {
  private static let magic = Array("ICPPIX01".utf8)
  private static let headerBytes = 4096
  private static let isThere = UInt64(1) << 32

  let path: String
  private let descriptor: Int32
  private let bytes: UnsafeRawBufferPointer
  /// Where each picture's pixels start, and the end of the last one's.
  private let starts: [Int]
  /// Whether each picture's pixels were checked.
  private let checked: UnsafeMutablePointer<Atomic<Bool>>
  private let canWrite = Atomic<Bool>(true)

  /// The file for pictures of that identity and these sizes in bytes, made where there is none. Throws where the folder
  /// cannot be written, or has no room.
  init(folder: String, identity: [UInt32], sizes: [Int]) throws(FileError) {
    let name = identity.map(Checksum.hexadecimal).joined(separator: "-")
    let path = "\(folder)/pixels-\(name).icp"
    var starts = [Self.headerBytes + (8 * sizes.count + 4095) / 4096 * 4096]
    starts.reserveCapacity(sizes.count + 1)
    for size in sizes { starts.append(starts.last! + size) }
    let length = starts.last!
    func failure(_ what: String) -> FileError {
      FileError(path: path, reason: "\(what) (data.cache): \(String(cString: strerror(errno)))")
    }
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Others may write to the folder: a link of theirs is not followed.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw failure("cannot be opened for writing") }
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    // One after the other: who comes second finds the file whole.
    guard flock(descriptor, LOCK_EX) == 0 else { throw failure("cannot be locked") }
    defer { flock(descriptor, LOCK_UN) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("cannot be read") }
    if Int(status.st_size) != length {
      guard ftruncate(descriptor, 0) == 0 else { throw failure("cannot be emptied") }
      let code = posix_fallocate(descriptor, 0, off_t(length))
      if code != 0 {
        unlink(path)
        errno = code
        let free = Self.freeBytes(folder).map { ", and \($0 >> 20) MiB are free" } ?? ""
        throw FileError(
          path: path,
          reason:
            "the decoded pictures need \(length >> 20) MiB\(free) (data.cache): \(String(cString: strerror(errno)))")
      }
      guard Self.write(Self.magic, to: descriptor, at: 0) else { throw failure("cannot be written") }
    }
    guard let address = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
      throw failure("cannot be mapped")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: length)
    guard bytes.starts(with: Self.magic) else {
      munmap(address, length)
      throw FileError(path: path, reason: "is no file of decoded pictures (data.cache): remove it")
    }
    isKept = true
    self.path = path
    self.descriptor = descriptor
    self.starts = starts
    checked = .allocate(capacity: max(1, sizes.count))
    for index in 0..<sizes.count { (checked + index).initialize(to: Atomic(false)) }
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
    close(descriptor)
    checked.deinitialize(count: starts.count - 1)
    checked.deallocate()
  }

  /// A picture's bytes; nil where they are not there, or not whole.
  func pixels(_ index: Int) -> [UInt8]? {
    let word = bytes.loadUnaligned(fromByteOffset: Self.headerBytes + 8 * index, as: UInt64.self)
    guard word & Self.isThere != 0 else { return nil }
    let pixels = UnsafeRawBufferPointer(rebasing: bytes[starts[index]..<starts[index + 1]])
    if !checked[index].load(ordering: .relaxed) {
      guard UInt64(Checksum.crc32(pixels)) == word & 0xFFFF_FFFF else { return nil }
      checked[index].store(true, ordering: .relaxed)
    }
    return Array(pixels)
  }

  /// Keeps a picture. Two ranks that keep the same one write the same bytes. Where writing fails, this process writes
  /// no
  /// more: the run goes on, decoding.
  func keep(_ pixels: [UInt8], of index: Int) {
    precondition(pixels.count == starts[index + 1] - starts[index], "\(pixels.count) bytes for picture \(index)")
    guard canWrite.load(ordering: .relaxed) else { return }
    let word = Self.isThere | UInt64(Checksum.crc32(pixels))
    let isWritten =
      Self.write(pixels, to: descriptor, at: starts[index])
      && withUnsafeBytes(of: word) { Self.write(Array($0), to: descriptor, at: Self.headerBytes + 8 * index) }
    if !isWritten { canWrite.store(false, ordering: .relaxed) }
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        written += count
      }
      return true
    }
  }

  private static func freeBytes(_ folder: String) -> Int? {
    var status = statvfs()
    return statvfs(folder, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : nil
  }
}
