import CZlib
import Files

/// Reading gzip files (RFC 1952), of one member or several, through zlib.
package enum Gzip {
  /// Deflate's best: 258 bytes for two bits, and a little for the blocks' heads. What is said to be more cannot be
  /// inside.
  package static let largestRatio = 1032

  /// The whole contents, at most `limit` bytes. The budget is checked while inflating, so a small file that would
  /// inflate to gigabytes is refused at the limit. Truncated or corrupt input throws.
  package static func decompress(contentsOf path: String, limit: Int) throws(FileError) -> [UInt8] {
    var output: [UInt8] = []
    try inflate(path) { (chunk) throws(FileError) in
      guard chunk.count <= limit - output.count else {
        throw FileError(path: path, reason: "inflates to more than the \(limit) bytes expected")
      }
      // To the limit at once where there is much, so that doubling does not take twice what is allowed.
      if output.count + chunk.count > limit / 2 { output.reserveCapacity(limit) }
      output.append(contentsOf: chunk)
      return true
    }
    return output
  }

  /// The first `count` bytes of the contents, or all where there are fewer: enough to read a header by.
  package static func prefix(contentsOf path: String, count: Int) throws(FileError) -> [UInt8] {
    var output: [UInt8] = []
    try inflate(path) { (chunk) throws(FileError) in
      output.append(contentsOf: chunk.prefix(count - output.count))
      return output.count < count
    }
    return output
  }

  /// Hands the contents to `consume` in chunks of at most 256 KiB, until it returns false or the file ends.
  private static func inflate(
    _ path: String, consume: (ArraySlice<UInt8>) throws(FileError) -> Bool
  ) throws(FileError) {
    let file = try MappedFile(path: path)
    // zlib's state points back to its stream, so the stream needs an address that stays.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    defer { stream.deallocate() }
    stream.initialize(to: z_stream())
    // 15 + 16: the largest window, and gzip's header and checksum only.
    let started = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard started == Z_OK else {
      throw FileError(path: path, reason: "zlib cannot start (code \(started))")
    }
    defer { inflateEnd(stream) }
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var offset = 0
    while true {
      let code = step(stream, file.bytes[offset...], into: &chunk)
      offset += code.consumed
      guard try consume(chunk[..<code.produced]) else { return }
      switch code.status {
      case Z_OK: continue
      case Z_STREAM_END where offset == file.bytes.count: return
      case Z_STREAM_END: inflateReset(stream)  // another member follows
      case Z_BUF_ERROR where offset == file.bytes.count:
        throw FileError(path: path, reason: "is truncated: the gzip stream goes on after byte \(offset)")
      default:
        let message = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code.status)"
        throw FileError(path: path, reason: "is not valid gzip: \(message) near byte \(offset)")
      }
    }
  }

  /// One call of zlib's `inflate`.
  private static func step(
    _ stream: UnsafeMutablePointer<z_stream>, _ input: Slice<UnsafeRawBufferPointer>,
    into chunk: inout [UInt8]
  ) -> (status: Int32, consumed: Int, produced: Int) {
    // zlib counts in 32 bits; its input pointer is not const for historical reasons only.
    let given = UnsafeRawBufferPointer(rebasing: input.prefix(1 << 30))
    return chunk.withUnsafeMutableBufferPointer { output in
      let address = given.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.next_in = UnsafeMutablePointer(mutating: address)
      stream.pointee.avail_in = uInt(given.count)
      stream.pointee.next_out = output.baseAddress
      stream.pointee.avail_out = uInt(output.count)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      return (
        status, given.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out)
      )
    }
  }
}
