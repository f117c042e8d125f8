import CImages

extension Picture {
  /// Decodes a JPEG or PNG as Pillow's `ImageOps.exif_transpose(Image.open(...)).convert("RGB")`, or `convert("L")` for
  /// one channel. Throws where pixels would be missing or wrong, and before anything of a size beyond
  /// `ImageHeader.largestPixelCount` is allocated.
  package static func decode(_ bytes: UnsafeRawBufferPointer, channels: Int) throws(ImageError) -> Picture {
    precondition(channels == 1 || channels == 3, "\(channels) channels")
    let format = try ImageFormat(of: bytes)
    var facts = ci_facts()
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    let status =
      format == .jpeg
      ? ci_jpeg_header(start, bytes.count, &facts) : ci_png_header(start, bytes.count, &facts)
    defer { ci_free(&facts) }
    guard status == CI_OK else { throw ImageError(status, facts, format) }
    // As stored, since the turn comes after.
    _ = try ImageHeader(facts, format, fileSize: bytes.count, orientation: Orientation(1))
    let (width, height) = (Int(facts.width), Int(facts.height))
    ci_free(&facts)
    let stored = try Picture(width: width, height: height, channels: channels) { (pixels) throws(ImageError) in
      let room = width * height * channels
      let status =
        format == .jpeg
        ? ci_jpeg_decode(start, bytes.count, Int32(channels), pixels, room, &facts)
        : ci_png_decode(start, bytes.count, Int32(channels), pixels, room, &facts)
      guard status == CI_OK else { throw ImageError(status, facts, format) }
    }
    return stored.turned(Orientation(of: facts))
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` for what throws one type of error.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let result = withUnsafeBytes { bytes in
      Result { () throws(Failure) in try body(bytes) }
    }
    return try result.get()
  }
}
