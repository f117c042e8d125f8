import Foundation

extension Picture {
  /// torchvision's `adjust_hue`: the hue turned by `turns` (-0.5...0.5) of the colour wheel, through Pillow's HSV of
  /// bytes, with its rounding. Grey has no hue.
  func hueShifted(by turns: Double) -> Picture {
    guard channels == 3 else { return self }
    // Of a negative shift the byte wraps around.
    let shift = UInt8(truncatingIfNeeded: Int(turns * 255))
    return Picture(width: width, height: height, channels: 3) { output in
      for start in stride(from: 0, to: pixels.count, by: 3) {
        let hsv = Self.hsv(pixels[start], pixels[start + 1], pixels[start + 2])
        let rgb = Self.rgb(hue: hsv.hue &+ shift, saturation: hsv.saturation, value: hsv.value)
        (output[start], output[start + 1], output[start + 2]) = rgb
      }
    }
  }

  private static func hsv(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (
    hue: UInt8, saturation: UInt8, value: UInt8
  ) {
    let (most, least) = (max(red, green, blue), min(red, green, blue))
    guard most > least else { return (0, 0, most) }
    let spread = Float(most - least)
    let (r, g, b) = (Float(most - red) / spread, Float(most - green) / spread, Float(most - blue) / spread)
    // In Double where C's literals make it so, then back to Float.
    let sextant =
      red == most ? b - g : green == most ? Float(2.0 + Double(r) - Double(b)) : Float(4.0 + Double(g) - Double(r))
    let hue = Float((Double(sextant) / 6.0 + 1.0).truncatingRemainder(dividingBy: 1.0))
    return (UInt8(Double(hue) * 255.0), UInt8(Double(spread / Float(most)) * 255.0), most)
  }

  private static func rgb(hue: UInt8, saturation: UInt8, value: UInt8) -> (UInt8, UInt8, UInt8) {
    guard saturation > 0 else { return (value, value, value) }
    let position = Double(Float(hue)) * 6.0 / 255.0
    let sextant = Int(position)
    let rest = Double(Float(position - Double(sextant)))
    let share = Double(Float(Double(saturation) / 255.0))
    func part(_ factor: Double) -> UInt8 {
      UInt8(min(255, max(0, (Double(value) * factor).rounded(.toNearestOrAwayFromZero))))
    }
    let (p, q, t) = (part(1 - share), part(1 - share * rest), part(1 - share * (1 - rest)))
    return switch sextant % 6 {
    case 0: (value, t, p)
    case 1: (q, value, p)
    case 2: (p, value, t)
    case 3: (p, q, value)
    case 4: (t, p, value)
    default: (value, p, q)
    }
  }
}
