import CKernels

/// Mean over a map's positions: (batch, height, width, channels) to (batch, channels).
package struct GlobalAveragePool: Sendable {
  private let input: Shape

  package init(_ input: Shape) { self.input = input }

  package func forward(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    ck_pool(x, Int32(input.batch), Int32(input.height * input.width), Int32(input.channels), y)
  }

  /// forward was y = mean of x over positions, so every position of dx is dy / positions.
  package func backward(_ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>) {
    ck_pool_backward(dy, Int32(input.batch), Int32(input.height * input.width), Int32(input.channels), dx)
  }
}
