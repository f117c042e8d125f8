import CImages

/// Pillow's ImageEnhance: the picture mixed with one that lacks what is enhanced. Factor 1 changes nothing, 0 takes all
/// of it away, more than 1 exaggerates.
extension Picture {
  func brightness(_ factor: Double) -> Picture { mixed(factor) { _ in 0 } }

  /// Mixed with the mean of its grey values.
  func contrast(_ factor: Double) -> Picture {
    let grey = luma()
    let sum = grey.reduce(0) { $0 + Int($1) }
    let mean = UInt8(Double(sum) / Double(grey.count) + 0.5)
    return mixed(factor) { _ in mean }
  }

  func saturation(_ factor: Double) -> Picture {
    guard channels == 3 else { return self }
    let grey = luma()
    return mixed(factor) { grey[$0 / 3] }
  }

  func sharpness(_ factor: Double) -> Picture {
    let smooth = smoothed()
    return mixed(factor) { smooth.pixels[$0] }
  }

  /// other + factor (own - other), in Float and cut off, as Pillow's `blend`.
  private func mixed(_ factor: Double, with other: (Int) -> UInt8) -> Picture {
    if factor == 1 { return self }
    let share = Float(factor)
    return Picture(width: width, height: height, channels: channels) { output in
      for index in 0..<pixels.count {
        let rest = Int32(other(index))
        let value = Float(rest) + share * Float(Int32(pixels[index]) - rest)
        output[index] = value <= 0 ? 0 : value >= 255 ? 255 : UInt8(value)
      }
    }
  }

  /// Pillow's `convert("L")`: a byte a pixel.
  func luma() -> [UInt8] {
    guard channels == 3 else { return pixels }
    return stride(from: 0, to: pixels.count, by: 3).map { at in
      ci_luma(Int32(pixels[at]), Int32(pixels[at + 1]), Int32(pixels[at + 2]))
    }
  }

  /// Pillow's SMOOTH: a pixel counts 5, each of its eight neighbours 1; the border stays.
  private func smoothed() -> Picture {
    var result = self
    let (width, height, channels) = (width, height, channels)
    let stride = width * channels
    withPixels { input in
      result.withMutablePixels { output in
        guard width > 2, height > 2 else { return }
        for y in 1..<height - 1 {
          for at in y * stride + channels..<(y + 1) * stride - channels {
            var sum = 4 * Int(input[at])
            for row in [at - stride, at, at + stride] {
              sum += Int(input[row - channels]) + Int(input[row]) + Int(input[row + channels])
            }
            output[at] = UInt8((2 * sum + 13) / 26)
          }
        }
      }
    }
    return result
  }
}
