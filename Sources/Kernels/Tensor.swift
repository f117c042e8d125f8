import Glibc
/// A float32 array in memory of its own, 64-byte aligned (a cache line, and a vector register of AVX-512), zero at
/// first. It is handed around by reference; who may write when is the caller's contract, as with any buffer.
public final class Tensor: @unchecked Sendable {
  public let shape: Shape
  public let pointer: UnsafeMutablePointer<Float>

  public init(_ shape: Shape) {
    self.shape = shape
    let bytes = max(shape.count, 1) * 4
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: bytes >= 1 << 21 ? 1 << 21 : 64)
    if bytes >= 1 << 21 { madvise(raw, bytes, MADV_HUGEPAGE) }
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
}
