import Images

extension Picture {
  /// Pixels plane by plane (CHW).
  package init(planes: UnsafePointer<UInt8>, shape: ImageShape) {
    let area = shape.height * shape.width
    self.init(width: shape.width, height: shape.height, channels: shape.channels) { pixels in
      for channel in 0..<shape.channels {
        for at in 0..<area { pixels[at * shape.channels + channel] = planes[channel * area + at] }
      }
    }
  }

  /// Calls `body` with the pixels plane by plane (CHW); the pointer must not leave it.
  package func withPlanes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    withPixels { pixels in
      guard channels > 1 else { return body(pixels) }
      let area = width * height
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: area * channels) { planes in
        for channel in 0..<channels {
          for at in 0..<area { planes[channel * area + at] = pixels[at * channels + channel] }
        }
        return body(planes.baseAddress!)
      }
    }
  }
}
