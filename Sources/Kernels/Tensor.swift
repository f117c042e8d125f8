import Glibc

/// A float32 array in memory of its own, 64-byte aligned (a cache line, and a vector register of AVX-512), zero at
/// first; a large one asks for huge pages (docs/PERFORMANCE.md, "Tried"). It is handed around by reference; who may write when is the caller's contract, as with any buffer.
public final class Tensor: @unchecked Sendable {
  public let shape: Shape
  public let pointer: UnsafeMutablePointer<Float>

  public init(_ shape: Shape) {
    self.shape = shape
    let bytes = max(shape.count, 1) * 4
    let isLarge = bytes >= Self.hugePage
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? Self.hugePage : 64)
    // Advice: where the system does not take it, nothing is lost.
    if isLarge { madvise(raw, bytes, MADV_HUGEPAGE) }
    pointer = raw.bindMemory(to: Float.self, capacity: max(shape.count, 1))
    pointer.update(repeating: 0, count: shape.count)
  }

  private static let hugePage = 1 << 21

  /// A flat vector.
  public convenience init(count: Int) {
    self.init(Shape(batch: 1, channels: count))
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  public var count: Int { shape.count }
  public var values: UnsafeMutableBufferPointer<Float> { .init(start: pointer, count: shape.count) }
}
