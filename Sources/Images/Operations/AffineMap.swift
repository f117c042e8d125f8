import Foundation

/// Where a pixel of the output comes from: input x = a x + b y + c, input y = d x + e y + f.
struct AffineMap {
  let a, b, c, d, e, f: Double

  init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
  }

  /// Pillow's `rotate(degrees)`: counterclockwise around the middle.
  init(rotationBy degrees: Double, width: Int, height: Int) {
    let angle = -degrees / 180 * .pi
    // Fifteen digits: a sine of 1e-17 is 0.
    func rounded(_ value: Double) -> Double { (value * 1e15).rounded(.toNearestOrEven) / 1e15 }
    let (cosine, sine) = (rounded(cos(angle)), rounded(sin(angle)))
    let (x, y) = (Double(width) / 2, Double(height) / 2)
    self.init(
      cosine, sine, cosine * -x + sine * -y + x,
      rounded(-sin(angle)), cosine, rounded(-sin(angle)) * -x + cosine * -y + y)
  }
}

extension Picture {
  /// Pillow's `transform(size, AFFINE, ..., NEAREST)`: in 16.16 fixed point, black where nothing is.
  func warped(by map: AffineMap) -> Picture {
    func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
    let (right, down) = (fixed(map.a), fixed(map.d))
    let (rightOfRow, downOfRow) = (fixed(map.b), fixed(map.e))
    var rowX = fixed(map.c + map.a * 0.5 + map.b * 0.5)
    var rowY = fixed(map.f + map.d * 0.5 + map.e * 0.5)
    return Picture(width: width, height: height, channels: channels) { output in
      output.update(repeating: 0, count: pixels.count)
      withPixels { input in
        var target = output
        for _ in 0..<height {
          var (x, y) = (rowX, rowY)
          for _ in 0..<width {
            let (column, row) = (x >> 16, y >> 16)
            if column >= 0 && column < width && row >= 0 && row < height {
              let source = input + (row * width + column) * channels
              for channel in 0..<channels { target[channel] = source[channel] }
            }
            target += channels
            x += right
            y += down
          }
          rowX += rightOfRow
          rowY += downOfRow
        }
      }
    }
  }
}
