import Kernels

/// The gradients that meet at a node's output: one from each of its readers, and, last, the one a loss on this output puts
/// in from outside.
struct GradientSources {
  private let pointers: [UnsafePointer<Float>?]
  private let hasSeed: Bool

  init(_ readers: [UnsafeMutablePointer<Float>], seed: UnsafeMutablePointer<Float>?) {
    pointers = (readers + (seed.map { [$0] } ?? [])).map { UnsafePointer($0) }
    hasSeed = seed != nil
    precondition(pointers.count <= 3, "the kernels sum at most three gradients")
  }

  /// Hands over the gradients to sum, from element `start` on: all of them, or without the one from outside.
  func withSources(seeded: Bool, from start: Int = 0, _ body: (UnsafeBufferPointer<UnsafePointer<Float>?>) -> Void) {
    let count = seeded || !hasSeed ? pointers.count : pointers.count - 1
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 3) { shifted in
      for index in 0..<count { shifted.initializeElement(at: index, to: pointers[index]! + start) }
      body(UnsafeBufferPointer(rebasing: shifted[..<count]))
    }
  }
}
