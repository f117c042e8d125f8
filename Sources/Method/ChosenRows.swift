import Kernels

/// The features of some of a shard's samples one after the other, and their gradients on the way back: for a loss that
/// counts these samples alone.
final class ChosenRows {
  private let rows, gradients: Tensor

  /// For at most `samples` samples of `width` values.
  init(samples: Int, width: Int) {
    rows = Tensor(count: samples * width)
    gradients = Tensor(count: samples * width)
  }

  static func memory(samples: Int, width: Int) -> MemoryUse { MemoryUse(own: 2 * 4 * Double(samples) * Double(width)) }

  /// Those at `places` of `features`; valid until the next call.
  func gathered(
    _ features: UnsafePointer<Float>, at places: UnsafePointer<Int>, count: Int, width: Int
  ) -> UnsafePointer<Float> {
    for index in 0..<count {
      (rows.pointer + index * width).update(from: features + places[index] * width, count: width)
    }
    return UnsafePointer(rows.pointer)
  }

  /// Where a loss writes the gradient of what was gathered.
  var gradient: UnsafeMutablePointer<Float> { gradients.pointer }

  /// Puts that into the gradient of all `samples` samples, which is 0 elsewhere.
  func scatter(
    into gradient: UnsafeMutablePointer<Float>, at places: UnsafePointer<Int>, count: Int, of samples: Int, width: Int
  ) {
    gradient.update(repeating: 0, count: samples * width)
    for index in 0..<count {
      (gradient + places[index] * width).update(from: gradients.pointer + index * width, count: width)
    }
  }
}
