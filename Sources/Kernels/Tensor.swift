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

  /// The Euclidean norm of all values, in double precision: eight sums, of every eighth value, whatever the length of
  /// the processor's vectors. (`Elementwise.dot` is another in the last bits. One sum in the order of the index takes
  /// 5 ms of a step of ResNet-18.)
  public var norm: Double {
    var sums = SIMD8<Double>.zero
    let whole = count / 8 * 8
    for first in stride(from: 0, to: whole, by: 8) {
      let values = UnsafeRawPointer(pointer + first).loadUnaligned(as: SIMD8<Float>.self)
      let wide = SIMD8<Double>(values)
      sums += wide * wide
    }
    return values[whole...].reduce(sums.sum()) { $0 + Double($1) * Double($1) }.squareRoot()
  }
}
