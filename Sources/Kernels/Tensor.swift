/// A float32 array in memory of its own, 64-byte aligned (a cache line, and a vector register of AVX-512), zero at
/// first. It is handed around by reference; who may write when is the caller's contract, as with any buffer.
public final class Tensor: @unchecked Sendable {
  public let shape: Shape
  public let pointer: UnsafeMutablePointer<Float>

  public init(_ shape: Shape) {
    self.shape = shape
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(shape.count, 1) * 4, alignment: 64)
    pointer = raw.bindMemory(to: Float.self, capacity: max(shape.count, 1))
    pointer.update(repeating: 0, count: shape.count)
  }

  /// A flat vector.
  public convenience init(count: Int) {
    self.init(Shape(batch: 1, channels: count))
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  public var count: Int { shape.count }
  public var values: UnsafeMutableBufferPointer<Float> { .init(start: pointer, count: shape.count) }

  /// The Euclidean norm of all values, in double precision and the order of the index: one sum with one rounding,
  /// whatever the vector length. (`Elementwise.dot` is faster, and its sum another in the last bits.)
  public var norm: Double {
    var sum = 0.0
    for value in values { sum += Double(value) * Double(value) }
    return sum.squareRoot()
  }
}
