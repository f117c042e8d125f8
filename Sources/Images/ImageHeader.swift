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
    try self.init(facts, format, orientation: Orientation(of: facts))
  }

  init(_ facts: ci_facts, _ format: ImageFormat, orientation: Orientation) throws(ImageError) {
    let (width, height) = (Int(facts.width), Int(facts.height))
    guard width > 0, height > 0 else { throw ImageError(.damaged, "\(width) x \(height) pixels") }
    guard max(width, height) <= Self.largestSide, width * height <= Self.largestPixelCount else {
      throw ImageError(
        .tooLarge,
        "\(width) x \(height) pixels, expected at most \(Self.largestPixelCount) and \(Self.largestSide) a side")
    }
    self.format = format
    self.width = orientation.swapsSides ? height : width
    self.height = orientation.swapsSides ? width : height
    channels = facts.colour != 0 ? 3 : 1
    bits = Int(facts.bits)
  }
}
