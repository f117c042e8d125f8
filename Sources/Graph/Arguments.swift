import Kernels

/// Where a kernel finds its operands for one piece of a batch.
package struct Arguments: ~Copyable {
  /// Samples of the piece, and the first one's place in the batch.
  package var samples: Int
  package var first: Int
  package var x: UnsafeBufferPointer<UnsafeRawPointer?>
  package var y: UnsafeMutableRawPointer?
  package var dy: UnsafeRawPointer?
  package var dx: UnsafeBufferPointer<UnsafeMutableRawPointer?>
  package var parameters: UnsafePointer<Float>
  /// Nil where the parameters' gradients are not wanted.
  package var gradients: UnsafeMutablePointer<Float>?
  /// The batch's first piece; and the first piece of this kernel's size, with which a sum that it keeps begins anew.
  package var isFirst: Bool
  package var beginsSum: Bool
  package var randomness: Randomness?

  package init(
    samples: Int, first: Int, x: UnsafeBufferPointer<UnsafeRawPointer?>,
    dx: UnsafeBufferPointer<UnsafeMutableRawPointer?>, parameters: UnsafePointer<Float>
  ) {
    self.samples = samples
    self.first = first
    self.x = x
    self.dx = dx
    self.parameters = parameters
    isFirst = true
    beginsSum = true
  }

  /// Where they are float32.
  package func input(_ index: Int = 0) -> UnsafePointer<Float> { x[index]!.assumingMemoryBound(to: Float.self) }
  package var output: UnsafeMutablePointer<Float> { y!.assumingMemoryBound(to: Float.self) }
  package var gradient: UnsafePointer<Float> { dy!.assumingMemoryBound(to: Float.self) }
  package func inputGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? {
    dx[index]?.assumingMemoryBound(to: Float.self)
  }
}
