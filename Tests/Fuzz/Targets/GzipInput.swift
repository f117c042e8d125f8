import Formats

/// Two bytes of limit, little-endian, and a gzip file.
struct GzipInput {
  static let largestLimit = 65535

  private let path: String
  private let limit: Int

  init(_ input: [UInt8], in folder: Scratch) {
    let head = input.prefix(2)
    limit = head.reversed().reduce(0) { $0 << 8 | Int($1) }
    path = folder.write("data.gz", input.dropFirst(2))
  }

  func read() throws {
    let whole = try Gzip.decompress(contentsOf: path, limit: limit)
    let start = try Gzip.prefix(contentsOf: path, count: 16)
    if whole.count > limit || Array(whole.prefix(16)) != start { finding("\(whole.count) of at most \(limit) bytes") }
  }

  /// `bytes` as a gzip file without compression: what a fuzzer changes in them stays readable.
  static func stored(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = Array(bytes)[...]
    repeat {
      let block = rest.prefix(65535)
      rest = rest.dropFirst(block.count)
      let size = UInt16(block.count)
      file +=
        [rest.isEmpty ? 1 : 0, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)] + block
    } while !rest.isEmpty
    for value in [Checksum.crc32(Array(bytes)), UInt32(truncatingIfNeeded: bytes.count)] {
      withUnsafeBytes(of: value.littleEndian) { file += $0 }
    }
    return file
  }
}
