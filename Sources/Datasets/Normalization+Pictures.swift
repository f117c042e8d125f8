import Images
import Pictures

/// Network inputs back to pictures.
extension Normalization {
  /// One normalised image (height, width, channels) as a picture, values beyond a pixel's range cut; nil of images that
  /// are no pictures, having neither 1 nor 3 channels.
  package func picture(of image: some Collection<Float>, shape: ImageShape) -> Picture? {
    guard shape.isPicture, image.count == shape.count else { return nil }
    return Picture(width: shape.width, height: shape.height, channels: shape.channels) { pixels in
      for (index, value) in image.enumerated() {
        let channel = index % shape.channels
        pixels[index] = Self.byte((Double(value) * std[channel] + mean[channel]) * 255)
      }
    }
  }

  /// How two normalised images differ, with its sign: mid-grey where they are the same, brighter where `image` is.
  /// `gain` times a difference of a whole pixel range, 1, goes from mid-grey to white.
  package func picture(
    ofDifference image: some Collection<Float>, from start: some Collection<Float>, gain: Double, shape: ImageShape
  ) -> Picture? {
    guard shape.isPicture, image.count == shape.count, start.count == shape.count else { return nil }
    return Picture(width: shape.width, height: shape.height, channels: shape.channels) { pixels in
      for (index, values) in zip(image, start).enumerated() {
        let difference = (Double(values.0) - Double(values.1)) * std[index % shape.channels]
        pixels[index] = Self.byte(127.5 + 127.5 * gain * difference)
      }
    }
  }

  /// The gain at which all but the largest hundredth of differences are shown without being cut: 1, 2 or 5 times a
  /// power of ten, at most 500,000; nil where nothing differs.
  package func gain(for pairs: [(image: [Float], start: [Float])], channels: Int) -> Double? {
    var sizes: [Double] = []
    for (image, start) in pairs {
      for (index, values) in zip(image, start).enumerated() where values.0 != values.1 {
        sizes.append(abs(Double(values.0) - Double(values.1)) * std[index % channels])
      }
    }
    guard !sizes.isEmpty else { return nil }
    sizes.sort()
    let wanted = 1 / sizes[(sizes.count - 1) * 99 / 100]
    var (power, gain) = (1.0, 1.0)
    while power <= 100_000 {
      for step in [power, 2 * power, 5 * power] where step <= wanted { gain = step }
      power *= 10
    }
    return gain
  }

  static func byte(_ value: Double) -> UInt8 { value.isFinite ? UInt8(min(255, max(0, value.rounded()))) : 0 }
}

extension ImageShape {
  /// Grey, or red, green and blue.
  package var isPicture: Bool { channels == 1 || channels == 3 }
}
