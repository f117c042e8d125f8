import Dispatch
import Images

extension Dataset {
  /// All images resized to size x size, in memory. The cores share the images; each depends on itself only.
  func resized(to size: Int) -> Dataset {
    guard shape.height != size || shape.width != size else { return self }
    let resize = AreaAverage(from: shape, to: size)
    let output = ImageShape(channels: shape.channels, height: size, width: size)
    let pixels = OwnedBytes(count: count * output.count)
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let target = pixels.storage.baseAddress! + index * output.count
      withPixelsInMemory(of: index) { resize.apply($0, into: target.assumingMemoryBound(to: UInt8.self)) }
    }
    return replacingPixels(pixels, shape: output)
  }
}
