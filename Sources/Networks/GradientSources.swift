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

  /// Hands over the gradients to sum: all of them, or without the one from outside.
  func withSources(seeded: Bool, _ body: (UnsafeBufferPointer<UnsafePointer<Float>?>) -> Void) {
    pointers.withUnsafeBufferPointer { all in
      body(seeded || !hasSeed ? all : UnsafeBufferPointer(rebasing: all.dropLast()))
    }
  }
}
