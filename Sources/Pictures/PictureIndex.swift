import Files
import Formats
import Foundation

/// Where each picture lies, what it is, and what it was when it was read first: what all ranks share, so that one alone
/// lists folders. 32 bytes a picture, and the names of those that are files.
package struct PictureIndex: Sendable, Equatable {
  /// 2^24 labels are more than anybody has, and any is an Int32.
  package static let largestLabel = (1 << 24) - 1

  package struct Entry: BitwiseCopyable, Sendable, Equatable {
    /// Of an archive's member, its first byte; of a file, where its name starts in `names`.
    package var place: UInt64
    /// Of the file, bytes.
    package var size: UInt32
    /// CRC-32 of the file's bytes.
    package var checksum: UInt32
    package var label: Int32
    package var container: UInt32
    /// As shown, pixels.
    package var width: UInt16
    package var height: UInt16
    /// Bit 0: in colour. Bit 1: a PNG. Bits 8 to 15: bits a channel.
    package var kind: UInt32
  }

  /// What stands before the entries, as JSON.
  package struct Head: Codable, Sendable, Equatable {
    package struct Watched: Codable, Sendable, Equatable {
      let path: String
      let size: Int
      /// Nanoseconds since 1970.
      let time: Int
    }

    package struct Moments: Codable, Sendable, Equatable {
      package let mean: [Double]
      package let std: [Double]

      package init(mean: [Double], std: [Double]) {
        self.mean = mean
        self.std = std
      }
    }

    package var path: String
    package var areArchives: Bool
    package var containers: [String]
    /// Of training, validation and test pictures, which follow each other.
    package var counts: [Int]
    package var classNames: [String]
    package var classes: Int
    var watched: [Watched]
    /// Pictures that are left out, with the reason; the first ones by name.
    package var skipped: Int
    package var skippedNames: [String]
    /// Mean and deviation of pixels, by what they were computed of.
    package var moments: [String: Moments] = [:]
  }

  package var head: Head
  package var entries: [Entry]
  /// Names of files, each followed by a zero.
  var names: [UInt8]

  /// Pictures that were left out, since they cannot be read.
  package var skipped: Int { head.skipped }
  package var count: Int { entries.count }
  package var training: Range<Int> { 0..<head.counts[0] }
  package var validation: Range<Int> { head.counts[0]..<head.counts[0] + head.counts[1] }
  package var test: Range<Int> { validation.upperBound..<validation.upperBound + head.counts[2] }
  /// 1 where all pictures are grey, else 3.
  package var channels: Int { entries.contains { $0.kind & 1 != 0 } ? 3 : 1 }

  /// The file of an entry of folders.
  func file(_ entry: Entry) -> String {
    let name = names[Int(entry.place)...].prefix { $0 != 0 }
    return head.containers[Int(entry.container)] + "/" + String(decoding: name, as: UTF8.self)
  }

  /// Tells two indexes apart by what pictures hold, not by where they lie.
  package var identity: UInt32 {
    var words: [UInt32] = head.counts.map { UInt32($0) }
    words.reserveCapacity(4 * entries.count + 3)
    for entry in entries {
      words += [
        entry.checksum, entry.size, UInt32(bitPattern: entry.label), UInt32(entry.width) << 16 | UInt32(entry.height),
      ]
    }
    return words.withUnsafeBytes { Checksum.crc32($0) }
  }

  private init(_ head: Head, _ entries: [Entry], _ names: [UInt8]) {
    self.head = head
    self.entries = entries
    self.names = names
  }

  // MARK: As bytes

  private static let magic = Array("ICPPIC01".utf8)

  /// Magic, three lengths, the head as JSON, entries, names, and the CRC-32 of all that; as this machine has its
  /// numbers.
  package var encoded: [UInt8] {
    let json = Array(JSONText.of(head).utf8)
    var bytes = Self.magic
    bytes.reserveCapacity(64 + json.count + entries.count * MemoryLayout<Entry>.stride + names.count)
    for length in [json.count, entries.count, names.count] {
      withUnsafeBytes(of: UInt64(length)) { bytes += $0 }
    }
    bytes += json
    entries.withUnsafeBytes { bytes += $0 }
    bytes += names
    withUnsafeBytes(of: Checksum.crc32(bytes)) { bytes += $0 }
    return bytes
  }

  /// nil where `bytes` are not what `encoded` made, whole and unchanged.
  package init?(encoded bytes: UnsafeRawBufferPointer) {
    let start = Self.magic.count + 24
    let stride = MemoryLayout<Entry>.stride
    guard bytes.count >= start + 4, bytes.starts(with: Self.magic) else { return nil }
    let lengths = (0..<3).map { bytes.loadUnaligned(fromByteOffset: Self.magic.count + 8 * $0, as: UInt64.self) }
    guard lengths.allSatisfy({ $0 <= UInt64(bytes.count) }) else { return nil }
    let (json, count, nameBytes) = (Int(lengths[0]), Int(lengths[1]), Int(lengths[2]))
    guard start + json + count * stride + nameBytes + 4 == bytes.count else { return nil }
    let sum = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
    guard sum == Checksum.crc32(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { return nil }
    guard let head = try? JSONDecoder().decode(Head.self, from: Data(bytes[start..<start + json])) else { return nil }
    self.head = head
    let first = start + json
    entries = [Entry](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[first..<first + count * stride]))
      initialized = count
    }
    names = Array(bytes[(first + count * stride)..<(bytes.count - 4)])
    let isWhole =
      head.counts.count == 3 && head.counts.allSatisfy { $0 >= 0 } && head.counts.reduce(0, +) == count
      && entries.allSatisfy { entry in
        Int(entry.container) < head.containers.count && 0..<Int32(max(1, head.classes)) ~= entry.label
          && (head.areArchives || entry.place < UInt64(names.count)) && entry.width > 0 && entry.height > 0
      }
    guard isWhole else { return nil }
  }

  // MARK: For measurements

  /// What a copy takes, but for the names of folders and classes.
  package var bytesInMemory: Int { entries.count * MemoryLayout<Entry>.stride + names.count }

  /// An index of so many pictures that are not there, with names as ImageNet has them.
  package static func synthetic(count: Int, classes: Int, path: String) -> PictureIndex {
    let folders = (0..<classes).map { "\(path)/n\(1_440_764 + $0)" }
    var names: [UInt8] = []
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for number in 0..<count {
      let label = number * classes / count
      entries.append(
        Entry(
          place: UInt64(names.count), size: 110_000, checksum: UInt32(truncatingIfNeeded: number &* 2_654_435_761),
          label: Int32(label), container: UInt32(label), width: 500, height: 375, kind: 1 | 8 << 8))
      names += Array("n0\(1_440_764 + label)_\(number % 100_000).JPEG".utf8) + [0]
    }
    let head = Head(
      path: path, areArchives: false, containers: folders, counts: [count, 0, 0], classNames: folders, classes: classes,
      watched: [], skipped: 0, skippedNames: [])
    return PictureIndex(head, entries, names)
  }
}
