/// Scratch memory that kernels which run in turn share: each reserves what it needs when it is built.
package final class Scratch {
  private var bytes = 0
  private(set) var pointer: UnsafeMutableRawPointer

  package init() { pointer = .allocate(byteCount: 64, alignment: 64) }
  deinit { pointer.deallocate() }

  func reserve(_ needed: Int) {
    guard needed > bytes else { return }
    pointer.deallocate()
    pointer = .allocate(byteCount: needed, alignment: 64)
    bytes = needed
  }
}
