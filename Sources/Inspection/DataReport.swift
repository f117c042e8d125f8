import Datasets
import Files
import Formats
import Images
import Pictures

/// What a data set holds, as a user would want to know before a run: `icp data`.
package struct DataReport: Sendable {
  package struct Split: Sendable {
    package let name: String
    package let count: Int
    /// By label.
    package let counts: [Int]
    package let normalization: Normalization
  }

  /// Images with the same pixels, by where they come from.
  package struct Duplicates: Sendable {
    package let splits: [String]
    package let origins: [String]
  }

  package let splits: [Split]
  package let shape: ImageShape
  package let classNames: [String]?
  /// Files of a kind: "JPEG, colour, 8 bits"; none where images are no files.
  package let kinds: [(kind: String, count: Int)]
  /// The least and the most of widths and heights as stored.
  package let widths: ClosedRange<Int>
  package let heights: ClosedRange<Int>
  /// Pictures and labels that are left out, with the reason of the first ones.
  package let skipped: Int
  package let skippedNames: [String]
  package let duplicates: [Duplicates]
  /// Of these, images that stand in more than one split.
  package var shared: [Duplicates] { duplicates.filter { Set($0.splits).count > 1 } }

  /// Reads every image once.
  package init(_ data: DataSplits) throws(FileError) {
    let parts = [("training", data.training), ("validation", data.validation), ("test", data.test)]
      .compactMap { name, set in set.map { (name, $0) } }
    shape = data.training.shape
    classNames = data.training.classNames
    var splits: [Split] = []
    // Images by the checksums of their pixels; those that share one are compared.
    var places: [UInt64: [(part: Int, index: Int)]] = [:]
    for (part, (name, set)) in parts.enumerated() {
      splits.append(
        Split(
          name: name, count: set.count, counts: set.indicesByClass.map(\.count),
          normalization: try Normalization.computed(on: set)))
      for (index, key) in try set.pixelKeys().enumerated() { places[key, default: []].append((part, index)) }
    }
    self.splits = splits
    var duplicates: [Duplicates] = []
    for group in places.values where group.count > 1 {
      duplicates.append(
        Duplicates(
          splits: group.map { parts[$0.part].0 }, origins: group.map { parts[$0.part].1.origin(of: $0.index) }))
    }
    self.duplicates = duplicates.sorted { $0.origins[0] < $1.origins[0] }
    let index = data.training.pictureIndex
    kinds = index?.kinds ?? []
    widths = index?.range(\.width) ?? shape.width...shape.width
    heights = index?.range(\.height) ?? shape.height...shape.height
    skipped = index?.skipped ?? 0
    skippedNames = index?.head.skippedNames ?? []
  }
}

extension PictureIndex {
  fileprivate var kinds: [(kind: String, count: Int)] {
    var counts: [UInt32: Int] = [:]
    for entry in entries { counts[entry.kind, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { kind, count in
      let format = kind & 2 != 0 ? "PNG" : "JPEG"
      let bits = Int(kind >> 8 & 255)
      // Pillow keeps no more of 16-bit greys than values up to 255, and so do we: better said than found out.
      let isCut = kind & 3 == 2 && bits == 16
      return (
        "\(format), \(kind & 1 != 0 ? "colour" : "grey"), \(bits) \(bits == 1 ? "bit" : "bits")"
          + (isCut ? " (values above 255 become 255, as in Pillow)" : ""), count
      )
    }
  }

  fileprivate func range(_ side: KeyPath<Entry, UInt16>) -> ClosedRange<Int> {
    let sides = entries.lazy.map { Int($0[keyPath: side]) }
    return (sides.min() ?? 0)...(sides.max() ?? 0)
  }
}

extension Dataset {
  /// A hash of each image's pixels as the network sees them: equal where the images are, by all that is likely.
  fileprivate func pixelKeys() throws(FileError) -> [UInt64] {
    var keys = [UInt64](repeating: 0, count: count)
    var failure: FileError?
    keys.withUnsafeMutableBufferPointer { keys in
      nonisolated(unsafe) let keys = keys
      do throws(FileError) {
        try Parallel.run(count, threads: isDecoded ? Parallel.cores : 1) { (index) throws(FileError) in
          keys[index] = try withPixels(of: index) { pixels in
            // FNV-1a in words, and a checksum beside it: 64 bits that a change of any pixel changes.
            let bytes = UnsafeRawBufferPointer(start: pixels, count: shape.count)
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for at in stride(from: 0, to: bytes.count - 7, by: 8) {
              hash = (hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0x100_0000_01B3
            }
            return hash ^ UInt64(Checksum.crc32(bytes)) << 32
          }
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return keys
  }
}
