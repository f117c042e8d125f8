/// A decoded picture: bytes row by row, from the top left, its channels beside each other (HWC).
package struct Picture: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// 1 (grey) or 3 (red, green, blue).
  package let channels: Int
  /// height x width x channels
  package private(set) var pixels: [UInt8]

  package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && (channels == 1 || channels == 3) && pixels.count == width * height * channels,
      "\(pixels.count) bytes for \(width) x \(height) x \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// `fill` writes every byte.
  package init<Failure: Error>(
    width: Int, height: Int, channels: Int,
    filledBy fill: (UnsafeMutablePointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    let count = width * height * channels
    var failure: Failure?
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(Failure) { try fill(buffer.baseAddress!) } catch { failure = error }
      initialized = failure == nil ? count : 0
    }
    if let failure { throw failure }
    self.init(width: width, height: height, channels: channels, pixels: pixels)
  }

  package func withPixels<Result, Failure: Error>(
    _ body: (UnsafePointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var result: Swift.Result<Result, Failure>?
    pixels.withUnsafeBufferPointer { buffer in
      do throws(Failure) { result = .success(try body(buffer.baseAddress!)) } catch { result = .failure(error) }
    }
    return try result!.get()
  }

  package mutating func withMutablePixels(_ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    pixels.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }

  /// Every byte replaced by its channel's table: `tables` holds 256 values a channel.
  mutating func apply(tables: [UInt8]) {
    precondition(tables.count == 256 * channels, "\(tables.count) values for \(channels) channels")
    let channels = channels
    pixels.withUnsafeMutableBufferPointer { pixels in
      for start in stride(from: 0, to: pixels.count, by: channels) {
        for channel in 0..<channels {
          pixels[start + channel] = tables[256 * channel + Int(pixels[start + channel])]
        }
      }
    }
  }
}
