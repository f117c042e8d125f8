/// Bytes in memory at an address that stays, such as an unpacked member of an archive. Read-only once shared.
package final class MemoryBlock: @unchecked Sendable {
  private let storage: UnsafeMutableRawBufferPointer

  /// `fill` writes every byte.
  package init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void) {
    storage = .allocate(byteCount: max(count, 1), alignment: 64)
    fill(UnsafeMutableRawBufferPointer(rebasing: storage[..<count]))
    bytes = UnsafeRawBufferPointer(rebasing: storage[..<count])
  }

  deinit { storage.deallocate() }

  package let bytes: UnsafeRawBufferPointer
}
