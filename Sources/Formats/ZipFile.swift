import Files
import CZlib
import Foundation

/// The members of a zip archive (stored or deflated, with zip64's sizes), such as NumPy's `.npz`.
package struct ZipFile {
  package struct Member: Equatable, Sendable {
    package let name: String
    /// As packed, and as unpacked.
    package let packedSize: Int
    package let size: Int
    let method: Int
    let checksum: UInt32
    let header: Int
  }

  package let path: String
  package let members: [Member]
  private let file: MappedFile

  /// Reads the directory at the archive's end. Every place in it is checked to lie in the file.
  package init(path: String) throws(FileError) {
    let file = try MappedFile(path: path)
    self.file = file
    self.path = path
    let bytes = LittleEndianBytes(file.bytes, path: path)
    let end = try Self.end(bytes)
    var members: [Member] = []
    var at = end.start
    for _ in 0..<end.count {
      guard try bytes.number(at, 4) == 0x0201_4B50 else {
        throw bytes.failure(at, "expected an entry of the directory")
      }
      let nameLength = try bytes.number(at + 28, 2)
      let extraLength = try bytes.number(at + 30, 2)
      var sizes = [try bytes.number(at + 24, 4), try bytes.number(at + 20, 4), try bytes.number(at + 42, 4)]
      try Self.widen(&sizes, bytes, extra: at + 46 + nameLength, count: extraLength)
      guard try bytes.number(at + 8, 2) & 1 == 0 else { throw bytes.failure(at, "a member is encrypted") }
      members.append(
        Member(
          name: try bytes.text(at + 46, nameLength), packedSize: sizes[1], size: sizes[0],
          method: try bytes.number(at + 10, 2), checksum: UInt32(try bytes.number(at + 16, 4)), header: sizes[2]))
      at += 46 + nameLength + extraLength + (try bytes.number(at + 32, 2))
    }
    self.members = members
  }

  /// The place and the number of the directory's entries: at most 64 KiB of comment follow its end.
  private static func end(_ bytes: LittleEndianBytes) throws(FileError) -> (start: Int, count: Int) {
    let size = bytes.count
    for at in stride(from: size - 22, through: max(0, size - 22 - 65535), by: -1) {
      guard try bytes.number(at, 4) == 0x0605_4B50, try bytes.number(at + 20, 2) == size - at - 22 else { continue }
      var (start, count) = (try bytes.number(at + 16, 4), try bytes.number(at + 10, 2))
      if at >= 20, try bytes.number(at - 20, 4) == 0x0706_4B50 {
        let wide = try bytes.number(at - 12, 8)
        guard try bytes.number(wide, 4) == 0x0606_4B50 else {
          throw bytes.failure(wide, "expected zip64's directory end")
        }
        start = try bytes.number(wide + 48, 8)
        count = try bytes.number(wide + 32, 8)
      }
      // An entry takes 46 bytes at least.
      guard start <= size, count <= (size - start) / 46 else {
        throw bytes.failure(at, "a directory of \(count) members")
      }
      return (start, count)
    }
    let head = FileSignature.head(of: bytes.path)
    throw FileError(
      path: bytes.path,
      reason: "is no zip archive, or is cut short: its directory is not at its end"
        + (head.starts(with: "PK".utf8) ? "" : FileSignature.hint(head)))
  }

  /// zip64: sizes of 32 ones stand in an extra field, of 64 bits.
  private static func widen(
    _ sizes: inout [Int], _ bytes: LittleEndianBytes, extra: Int, count: Int
  ) throws(FileError) {
    var at = extra
    while at + 4 <= extra + count {
      let length = try bytes.number(at + 2, 2)
      if try bytes.number(at, 2) == 1 {
        var field = at + 4
        for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
          guard field + 8 <= at + 4 + length else { throw bytes.failure(at, "a zip64 field of \(length) bytes") }
          sizes[index] = try bytes.number(field, 8)
          field += 8
        }
      }
      at += 4 + length
    }
  }

  /// The member's bytes: `size` of them, checked against its checksum. Throws where it is larger than `limit`, or than
  /// what deflate can pack.
  package func contents(of member: Member, limit: Int) throws(FileError) -> MemoryBlock {
    let bytes = LittleEndianBytes(file.bytes, path: path)
    func wrong(_ reason: String) -> FileError { FileError(path: path, reason: "\(quoted(member.name)): \(reason)") }
    guard try bytes.number(member.header, 4) == 0x0403_4B50 else {
      throw wrong("has no header at byte \(member.header)")
    }
    let start =
      member.header + 30 + (try bytes.number(member.header + 26, 2)) + (try bytes.number(member.header + 28, 2))
    guard start <= bytes.count, member.packedSize <= bytes.count - start else { throw wrong("is cut short") }
    guard member.size <= limit, member.packedSize > 0 || member.size == 0,
      member.size / Gzip.largestRatio <= member.packedSize
    else { throw wrong("of \(member.size) bytes is larger than its \(member.packedSize) can hold, or than \(limit)") }
    let packed = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + member.packedSize])
    var isWhole = true
    let block: MemoryBlock
    switch member.method {
    case 0 where member.size == member.packedSize:
      block = MemoryBlock(count: member.size) { $0.copyMemory(from: packed) }
    case 8: block = MemoryBlock(count: member.size) { isWhole = Deflate.inflate(packed, into: $0) }
    default: throw wrong("is packed by method \(member.method), expected 0 (stored) or 8 (deflated)")
    }
    guard isWhole else { throw wrong("is no deflate of \(member.size) bytes") }
    guard Checksum.crc32(block.bytes) == member.checksum else { throw wrong("its checksum is wrong") }
    return block
  }
}

/// Numbers in a file, each place checked.
struct LittleEndianBytes {
  private let bytes: UnsafeRawBufferPointer
  let path: String

  init(_ bytes: UnsafeRawBufferPointer, path: String) { (self.bytes, self.path) = (bytes, path) }

  var count: Int { bytes.count }

  func failure(_ at: Int, _ reason: String) -> FileError { FileError(path: path, reason: "byte \(at): \(reason)") }

  /// `size` bytes; below 2^63.
  func number(_ at: Int, _ size: Int) throws(FileError) -> Int {
    guard at >= 0, at <= bytes.count - size else { throw failure(at, "lies beyond the file's \(bytes.count) bytes") }
    let value = bytes[at..<at + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard value < 1 << 62 else { throw failure(at, "an impossible number") }
    return Int(value)
  }

  func text(_ at: Int, _ size: Int) throws(FileError) -> String {
    guard at >= 0, size >= 0, at <= bytes.count - size else { throw failure(at, "lies beyond the file's end") }
    return String(decoding: bytes[at..<at + size], as: UTF8.self)
  }
}

/// Raw deflate (RFC 1951) through zlib.
enum Deflate {
  /// Fills `output`; false, and what is not written is 0, where `bytes` are not the deflate of exactly so many bytes.
  static func inflate(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    defer { stream.deallocate() }
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return false }
    defer { inflateEnd(stream) }
    let source = bytes.bindMemory(to: UInt8.self).baseAddress
    let target = output.bindMemory(to: UInt8.self).baseAddress
    // zlib wants an address, also for no bytes.
    var nothing: UInt8 = 0
    var (taken, made) = (0, 0)
    while true {
      // zlib counts in 32 bits.
      let (given, room) = (min(bytes.count - taken, 1 << 30), min(output.count - made, 1 << 30))
      let status = withUnsafeMutablePointer(to: &nothing) { nothing in
        stream.pointee.next_in = source.map { UnsafeMutablePointer(mutating: $0 + taken) }
        stream.pointee.avail_in = uInt(given)
        stream.pointee.next_out = target.map { $0 + made } ?? nothing
        stream.pointee.avail_out = uInt(room)
        return CZlib.inflate(stream, Z_NO_FLUSH)
      }
      taken += given - Int(stream.pointee.avail_in)
      made += room - Int(stream.pointee.avail_out)
      if status == Z_STREAM_END, made == output.count { return true }
      guard status == Z_OK else {
        output[made...].initializeMemory(as: UInt8.self, repeating: 0)
        return false
      }
    }
  }
}
