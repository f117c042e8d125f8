import CKernels

/// Mean over a map's positions: (batch, height, width, channels), of any element, to float32's (batch, channels).
package struct GlobalAveragePool: Sendable {
  private let input: Shape
  private let element: ElementType

  package init(_ input: Shape, element: ElementType = .float32) {
    self.input = input
    self.element = element
  }

  package func forward(_ x: UnsafeRawPointer, into y: UnsafeMutablePointer<Float>) {
    ck_pool(element.code, x, Int32(input.batch), Int32(input.height * input.width), Int32(input.channels), y)
  }

  /// forward was y = mean of x over positions, so every position of dx is dy / positions.
  package func backward(_ dy: UnsafePointer<Float>, into dx: UnsafeMutableRawPointer) {
    ck_pool_backward(element.code, dy, Int32(input.batch), Int32(input.height * input.width), Int32(input.channels), dx)
  }
}
