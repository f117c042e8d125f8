import Foundation

/// n operations out of fourteen, drawn anew for each picture, of one strength m of 30: torchvision's RandAugment (Cubuk
/// et al. 2020), with nearest neighbours and black where nothing is.
package struct RandAugment: ImageTransform {
  package static let name = "rand-augment"
  package static let parameters: [TransformParameter] = [
    .number("n", 2, from: 0, to: 14, whole: true), .number("m", 9, from: 0, to: Double(strongest), whole: true),
  ]
  static let strongest = 30

  package enum Operation: String, CaseIterable, Sendable {
    case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast, sharpness, posterize
    case solarize, autocontrast, equalize

    /// Whether the magnitude is negative one time in two.
    package var isSigned: Bool {
      switch self {
      case .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .color, .contrast, .sharpness: true
      default: false
      }
    }

    /// What strength `m` of 30 means: a slope, pixels, degrees, a factor less 1, bits, a threshold.
    package func magnitude(_ m: Int, size: PixelSize) -> Double {
      let share = Double(m) / Double(strongest)
      return switch self {
      case .shearX, .shearY: 0.3 * share
      case .translateX: 150.0 / 331 * Double(size.width) * share
      case .translateY: 150.0 / 331 * Double(size.height) * share
      case .rotate: 30 * share
      case .brightness, .color, .contrast, .sharpness: 0.9 * share
      case .posterize: 8 - (4 * share).rounded(.toNearestOrEven)
      case .solarize: 255 * (1 - share)
      case .identity, .autocontrast, .equalize: 0
      }
    }
  }

  let count: Int
  let strength: Int

  package init(values: [[Double]]) { (count, strength) = (Int(values[0][0]), Int(values[1][0])) }

  package var changesPixels: Bool { count > 0 }

  package func draw(size: PixelSize, at address: SampleAddress) -> [(operation: Operation, magnitude: Double)] {
    var stream = address.stream(.randAugment)
    return (0..<count).map { _ in
      let operation = Operation.allCases[stream.integer(below: Operation.allCases.count)]
      let isNegative = stream.integer(below: 2) == 1
      let magnitude = operation.magnitude(strength, size: size)
      return (operation, operation.isSigned && isNegative ? -magnitude : magnitude)
    }
  }

  package func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture {
    let steps = draw(size: PixelSize(width: picture.width, height: picture.height), at: address)
    return steps.reduce(picture) { $0.applying($1.operation, $1.magnitude) }
  }
}

extension Picture {
  package func applying(_ operation: RandAugment.Operation, _ magnitude: Double) -> Picture {
    switch operation {
    case .identity: self
    case .shearX: warped(by: AffineMap(1, tan(atan(magnitude)), 0, 0, 1, 0))
    case .shearY: warped(by: AffineMap(1, 0, 0, tan(atan(magnitude)), 1, 0))
    case .translateX: warped(by: AffineMap(1, 0, -magnitude.rounded(.towardZero), 0, 1, 0))
    case .translateY: warped(by: AffineMap(1, 0, 0, 0, 1, -magnitude.rounded(.towardZero)))
    case .rotate: warped(by: AffineMap(rotationBy: magnitude, width: width, height: height))
    case .brightness: brightness(1 + magnitude)
    case .color: saturation(1 + magnitude)
    case .contrast: contrast(1 + magnitude)
    case .sharpness: sharpness(1 + magnitude)
    case .posterize: posterized(bits: Int(magnitude))
    case .solarize: solarized(from: magnitude)
    case .autocontrast: withFullContrast()
    case .equalize: equalized()
    }
  }
}
