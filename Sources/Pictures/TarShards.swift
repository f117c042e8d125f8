import Files
import Formats
import Glibc
import Runtime

/// Tar archives of KEY.jpg (or .jpeg, .png) and KEY.cls, the label as text, as WebDataset writes them: one archive, a
/// pattern such as `train-{000000..000003}.tar`, or a folder that holds `*train*.tar` and, where there are, `*val*.tar`
/// and `*test*.tar`, of which the last alone can be measured. Members are read where they lie. `classes.txt` beside the
/// archives names the classes, one a line.
package enum TarShards: PictureSource {
  package static func recognises(_ path: String) -> String? {
    if path.hasSuffix(".tar") { return path.contains("{") || System.isRegularFile(path) ? "tar shards" : nil }
    let names = (try? FolderListing.entries(of: path)) ?? []
    return names.contains { !$0.isFolder && $0.name.hasSuffix(".tar") } ? "tar shards" : nil
  }

  package static func list(_ path: String) throws(FileError) -> PictureListing {
    var listing = PictureListing()
    listing.areArchives = true
    let folder: String
    let shards: [(name: String, part: PictureListing.Part)]
    if path.hasSuffix(".tar") {
      folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
      shards = try expanded(path).map { ($0, .training) }
    } else {
      folder = path
      listing.watched.append(path)
      let names = try FolderListing.entries(of: path).map(\.name).filter { $0.hasSuffix(".tar") }
      let parts = names.map { ($0, PictureListing.Part(inName: String($0.dropLast(4)))) }
      let isDivided = parts.contains { $0.1 != nil }
      if isDivided, let unclear = parts.first(where: { $0.1 == nil }) {
        throw FileError(
          path: "\(path)/\(unclear.0)",
          reason: "is for training, validation or test? Its name has none of train, val, test")
      }
      shards = parts.map { ("\(path)/\($0.0)", $0.1 ?? .training) }
    }
    try checkCopies(shards.map(\.name))
    var largest = -1
    for (shard, part) in shards { try add(shard, to: part, &listing, &largest) }
    try nameClasses("\(folder)/classes.txt", &listing, largest: largest)
    return listing
  }

  /// Throws where two archives hold the same bytes: a copy would count as more data, or as data to test with.
  private static func checkCopies(_ paths: [String]) throws(FileError) {
    var seen: [UInt32: [MappedFile]] = [:]
    for path in paths {
      // What is wrong with one is said where it is read.
      guard let file = try? MappedFile(path: path), !file.bytes.isEmpty else { continue }
      let start = Checksum.crc32(UnsafeRawBufferPointer(rebasing: file.bytes.prefix(1 << 16)))
      for other in seen[start, default: []] where other.bytes.count == file.bytes.count {
        guard memcmp(other.bytes.baseAddress!, file.bytes.baseAddress!, file.bytes.count) == 0 else { continue }
        throw FileError(path: path, reason: "holds the same bytes as \(other.path): a copy would count as more data")
      }
      seen[start, default: []].append(file)
    }
  }

  /// `a-{000..003}.tar` as its four names.
  static func expanded(_ pattern: String) throws(FileError) -> [String] {
    guard let open = pattern.firstIndex(of: "{") else { return [pattern] }
    let wrong = FileError(path: pattern, reason: "expected a range of numbers in braces, such as {000000..000003}")
    guard let close = pattern[open...].firstIndex(of: "}") else { throw wrong }
    let ends = pattern[pattern.index(after: open)..<close].split(separator: ".", omittingEmptySubsequences: true)
    guard ends.count == 2, pattern[open..<close].contains(".."), let first = Int(ends[0]), let last = Int(ends[1]),
      0 <= first, first <= last, last - first < 1_000_000
    else { throw wrong }
    var names: [String] = []
    for number in first...last {
      let digits = String(number)
      let padded = String(repeating: "0", count: max(0, ends[0].count - digits.count)) + digits
      names += try expanded(pattern[..<open] + padded + pattern[pattern.index(after: close)...])
    }
    return names
  }

  private static func add(
    _ path: String, to part: PictureListing.Part, _ listing: inout PictureListing, _ largest: inout Int
  ) throws(FileError) {
    listing.watched.append(path)
    listing.containers.append(path)
    let container = listing.containers.count - 1
    let file: MappedFile
    let members: [TarFile.Member]
    file = try MappedFile(path: path)
    guard !file.bytes.isEmpty else { throw FileError(path: path, reason: "is empty") }
    guard file.bytes.count >= 512 else {
      throw FileError(path: path, reason: "is no tar archive" + FileSignature.hint(ofFile: path))
    }
    if let kind = FileSignature.named(file.bytes.prefix(64)) {
      throw FileError(path: path, reason: "is no tar archive; it is \(kind)")
    }
    members = try TarFile(file).members
    // A sample's members follow each other; its key is the name up to the first dot of its last part.
    var index = 0
    while index < members.count {
      let key = self.key(members[index].name)
      var end = index + 1
      while end < members.count, self.key(members[end].name) == key { end += 1 }
      defer { index = end }
      guard !key.isEmpty, !key.split(separator: "/").last!.isEmpty else { continue }
      let sample = members[index..<end]
      let picture = sample.first { isPicture($0.name) }
      let label = sample.first { $0.name.hasSuffix(".cls") }
      guard let picture, let label else {
        if picture != nil || label != nil {
          listing.problems.append("\(path), \(quoted(String(key))): has \(label == nil ? "no .cls" : "no picture")")
        }
        continue
      }
      let number = try self.label(file.bytes, label, path)
      largest = max(largest, number)
      listing.add(
        .init(container: container, name: picture.name, offset: picture.offset, size: picture.size, label: number),
        to: part)
    }
  }

  private static func key(_ name: String) -> Substring {
    let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    return name[..<(name[start...].firstIndex(of: ".") ?? name.endIndex)]
  }

  private static func label(
    _ bytes: UnsafeRawBufferPointer, _ member: TarFile.Member, _ path: String
  ) throws(FileError) -> Int {
    let digits = bytes[member.offset..<member.offset + min(member.size, 32)].filter { $0 > 32 }
    guard member.size <= 32, digits.allSatisfy({ 48...57 ~= $0 }),
      let label = Int(String(decoding: digits, as: UTF8.self)), label <= PictureIndex.largestLabel
    else {
      throw FileError(
        path: path,
        reason: "\(quoted(member.name)) holds no label, expected a number from 0 to \(PictureIndex.largestLabel)")
    }
    return label
  }

  private static func nameClasses(_ path: String, _ listing: inout PictureListing, largest: Int) throws(FileError) {
    listing.classes = largest + 1
    guard System.isRegularFile(path) else { return }
    let file = try MappedFile(path: path)
    listing.watched.append(path)
    let names = String(decoding: file.bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    guard names.count > largest else {
      throw FileError(path: path, reason: "names \(counted(names.count, "class")), but there is a label \(largest)")
    }
    listing.classNames = names
    listing.classes = names.count
  }
}
