import CImages

extension Picture {
  /// The picture as a PNG file; nil where memory is short.
  package func encodedAsPNG() -> [UInt8]? {
    var count = 0
    guard
      let bytes = withPixels({ ci_png_encode($0, Int32(width), Int32(height), Int32(channels), &count) })
    else { return nil }
    defer { ci_release(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
