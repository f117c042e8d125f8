import CKernels

/// Loops over arrays of equal length.
package enum Elementwise {
  /// d = the sum of `sources` where y > 0 and zero elsewhere; all of it without y. d may be one of the first three
  /// sources. All are of one type of element.
  package static func mask(
    _ element: ElementType, sources: UnsafeBufferPointer<UnsafeRawPointer?>, y: UnsafeRawPointer?, count: Int,
    into d: UnsafeMutableRawPointer
  ) {
    // The kernel adds the first three in one pass, and then two at a time to what it has written to d.
    precondition(
      !sources.dropFirst(3).contains(UnsafeRawPointer(d)), "d is source 4 or later, which is read after d is written")
    ck_mask(element.code, sources.baseAddress!, Int32(sources.count), y, count, d)
  }

  /// y = x, each a type of element.
  package static func convert(
    _ x: UnsafeRawPointer, _ from: ElementType, count: Int, to: ElementType, into y: UnsafeMutableRawPointer
  ) {
    switch (from, to) {
    case (.float32, .bfloat16):
      ck_round(x.assumingMemoryBound(to: Float.self), count, y.assumingMemoryBound(to: UInt16.self))
    case (.bfloat16, .float32):
      ck_widen(x.assumingMemoryBound(to: UInt16.self), count, y.assumingMemoryBound(to: Float.self))
    case (.float32, .float32), (.bfloat16, .bfloat16): y.copyMemory(from: x, byteCount: count * from.bytes)
    }
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
