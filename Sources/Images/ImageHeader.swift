import CImages

/// What a picture's file says before its pixels.
package struct ImageHeader: Equatable, Sendable {
  /// Pillow warns of larger pictures as of bombs; nothing of their size is ever allocated here.
  package static let largestPixelCount = 89_478_485
  /// A bound on a side too: products with channels and batches stay within an Int.
  package static let largestSide = 65535

  package let format: ImageFormat
  /// As shown, after the turn that EXIF asks for where it stands before the pixels.
  package let width: Int
  package let height: Int
  /// 1 for grey, 3 for anything in colour; alpha does not count.
  package let channels: Int
  /// Of a channel as stored, 1 to 16.
  package let bits: Int

  /// Reads the header alone. Throws where there is none, or where it tells of more pixels than are read.
  package init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
    let format = try ImageFormat(of: bytes)
    var facts = ci_facts()
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    let status =
      format == .jpeg
      ? ci_jpeg_header(start, bytes.count, &facts) : ci_png_header(start, bytes.count, &facts)
    defer { ci_free(&facts) }
    guard status == CI_OK else { throw ImageError(status, facts, format) }
    try self.init(facts, format, fileSize: bytes.count, orientation: Orientation(of: facts))
  }

  /// The most pixels that a file of that size can hold, whatever its header says. A JPEG's block of 64 pixels takes a
  /// bit at least, twice that for good measure; arithmetic coding can do with less. Deflate packs 1032 bytes into one.
  private static func mostPixels(in fileSize: Int, _ format: ImageFormat, _ facts: ci_facts) -> Int {
    switch format {
    case .jpeg: fileSize * (facts.arithmetic != 0 ? 8192 : 1024)
    case .png: fileSize * 1032 * 8 / max(1, Int(facts.channels) * Int(facts.bits))
    }
  }

  init(_ facts: ci_facts, _ format: ImageFormat, fileSize: Int, orientation: Orientation) throws(ImageError) {
    let (width, height) = (Int(facts.width), Int(facts.height))
    guard width > 0, height > 0 else { throw ImageError(.damaged, "\(width) x \(height) pixels") }
    guard max(width, height) <= Self.largestSide, width * height <= Self.largestPixelCount else {
      throw ImageError(
        .tooLarge,
        "\(width) x \(height) pixels, expected at most \(Self.largestPixelCount) and \(Self.largestSide) a side")
    }
    guard width * height <= Self.mostPixels(in: fileSize, format, facts) else {
      throw ImageError(.truncated, "\(width) x \(height) pixels, which \(fileSize) bytes cannot hold: is it cut short?")
    }
    self.format = format
    self.width = orientation.swapsSides ? height : width
    self.height = orientation.swapsSides ? width : height
    channels = facts.colour != 0 ? 3 : 1
    bits = Int(facts.bits)
  }
}
