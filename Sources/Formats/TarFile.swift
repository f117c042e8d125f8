import Files

/// The regular files in a tar archive (POSIX ustar and pax, GNU's long names), by place: nothing is unpacked.
package struct TarFile {
  package struct Member: Equatable, Sendable {
    package let name: String
    /// Of its first byte in the archive.
    package let offset: Int
    package let size: Int
  }

  private static let block = 512
  /// Of names and pax headers: what is longer is no path.
  private static let longestHeader = 1 << 20

  package let members: [Member]

  /// Reads every header. Throws where one is not tar's, or where the archive ends inside a member.
  package init(_ file: MappedFile) throws(FileError) {
    var members: [Member] = []
    try Self.read(file.bytes, path: file.path) { members.append($0) }
    self.members = members
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, path: String, _ found: (Member) -> Void
  ) throws(FileError) {
    var at = 0
    // What extension headers say of the next member.
    var longName: String?
    var longSize: Int?
    while at < bytes.count {
      guard bytes.count - at >= block else {
        throw FileError(
          path: path, reason: "is cut short: \(bytes.count - at) bytes at byte \(at), expected a header of 512")
      }
      let header = UnsafeRawBufferPointer(rebasing: bytes[at..<at + block])
      if header.allSatisfy({ $0 == 0 }) { return }  // the end, whatever follows
      guard let sum = octal(header[148..<156]), sum == checksum(header) else {
        throw FileError(path: path, reason: "byte \(at): expected the header of a member, its checksum is wrong")
      }
      guard let own = octal(header[124..<136]) else {
        throw FileError(path: path, reason: "byte \(at): the header's size is no number")
      }
      let type = header[156]
      let isExtension = [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(type)
      let size = isExtension ? own : longSize ?? own
      let start = at + block
      guard size >= 0, size <= bytes.count - start else {
        throw FileError(path: path, reason: "is cut short: a member of \(size) bytes at byte \(at) of \(bytes.count)")
      }
      let contents = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
      if isExtension {
        guard size <= longestHeader else {
          throw FileError(
            path: path, reason: "byte \(at): an extension of \(size) bytes, expected at most \(longestHeader)")
        }
        switch type {
        case UInt8(ascii: "L"): longName = text(contents)
        case UInt8(ascii: "x"):
          let records = try pax(contents, path: path, at: at)
          longName = records["path"] ?? longName
          longSize = try records["size"].map { (digits) throws(FileError) in
            guard let size = Int(digits), size >= 0 else {
              throw FileError(path: path, reason: "byte \(at): the size \(quoted(digits)) is no number")
            }
            return size
          }
        default: break
        }
      } else {
        if type == UInt8(ascii: "0") || type == 0 || type == UInt8(ascii: "7") {
          found(Member(name: longName ?? name(header), offset: start, size: size))
        }
        longName = nil
        longSize = nil
      }
      let (end, overflows) = (start + size).addingReportingOverflow((block - size % block) % block)
      guard !overflows else { return }
      at = end
    }
  }

  /// The name that a header has itself; with extensions it may be cut.
  package static func name(_ header: UnsafeRawBufferPointer) -> String {
    let own = text(UnsafeRawBufferPointer(rebasing: header[0..<100]))
    let isPosix = header[257..<262].elementsEqual("ustar".utf8) && header[262] == 0
    let prefix = isPosix ? text(UnsafeRawBufferPointer(rebasing: header[345..<500])) : ""
    return prefix.isEmpty ? own : "\(prefix)/\(own)"
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Digits of base 8 between blanks and zeros; or, with the top bit set, base 256.
  private static func octal(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80, field.dropFirst().dropLast(7).allSatisfy({ $0 == 0 }) else { return nil }
      return field.suffix(7).reduce(0) { $0 << 8 | Int($1) }
    }
    let digits = field.drop { $0 == 32 }.prefix { $0 != 32 && $0 != 0 }
    guard digits.count <= 20 else { return nil }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }

  /// Of all bytes, those of the checksum as blanks.
  private static func checksum(_ header: UnsafeRawBufferPointer) -> Int {
    header.enumerated().reduce(0) { $0 + (148..<156 ~= $1.offset ? 32 : Int($1.element)) }
  }

  /// Records of "LENGTH KEY=VALUE\n".
  private static func pax(
    _ bytes: UnsafeRawBufferPointer, path: String, at place: Int
  ) throws(FileError) -> [String: String] {
    var records: [String: String] = [:]
    var rest = bytes[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0 != 32 }
      guard digits.count < 10, let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 1,
        length <= rest.count
      else { throw FileError(path: path, reason: "byte \(place): a pax header whose records have no length") }
      let record = rest.prefix(length).dropFirst(digits.count + 1).dropLast()
      if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
        let key = String(decoding: record[..<equals], as: UTF8.self)
        records[key] = String(decoding: record[(equals + 1)...], as: UTF8.self)
      }
      rest = rest.dropFirst(length)
    }
    return records
  }
}
