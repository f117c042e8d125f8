import CKernels

/// Loops over arrays of equal length.
package enum Elementwise {
  /// d = the sum of `sources` where y > 0 and zero elsewhere; all of it without y. d may be a source.
  package static func mask(
    sources: UnsafeBufferPointer<UnsafePointer<Float>?>, y: UnsafePointer<Float>?, count: Int,
    into d: UnsafeMutablePointer<Float>
  ) {
    ck_mask(sources.baseAddress!, Int32(sources.count), y, count, d)
  }

  /// sum (x - y)^2
  package static func squaredDistance(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
    ck_squared_distance(x, y, count)
  }

  /// sum |x - y|
  package static func absoluteDistance(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
    ck_absolute_distance(x, y, count)
  }

  /// sum x y
  package static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
    ck_dot(x, y, count)
  }

  /// z = a x + b y; z may be x or y.
  package static func combine(
    _ a: Float, _ x: UnsafePointer<Float>, _ b: Float, _ y: UnsafePointer<Float>, count: Int,
    into z: UnsafeMutablePointer<Float>
  ) {
    ck_combine(a, x, b, y, count, z)
  }
}
