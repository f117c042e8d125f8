import CKernels
import Glibc

/// The parameter-free shortcut (He et al. 2015, option A): every second position in each direction, and zero channels
/// on both sides, half of them before.
package struct PadShortcut: Sendable {
  private let input: Shape
  private let output: Shape
  private let stride: Int
  private let element: ElementType

  package init(_ input: Shape, outputs: Int, stride: Int, element: ElementType = .float32) {
    self.input = input
    self.element = element
    self.stride = stride
    output = Shape(
      batch: input.batch, height: (input.height - 1) / stride + 1, width: (input.width - 1) / stride + 1,
      channels: outputs)
  }

  /// y is zero outside the copied channels; it is written whole.
  package func forward(_ x: UnsafeRawPointer, into y: UnsafeMutableRawPointer) {
    let size = element.bytes
    memset(y, 0, output.count * size)
    forEachPosition { source, result in memcpy(y + result * size, x + source * size, input.channels * size) }
  }

  /// forward copied positions, so dx is dy where it was copied from and zero elsewhere.
  package func backward(_ dy: UnsafeRawPointer, into dx: UnsafeMutableRawPointer) {
    let size = element.bytes
    memset(dx, 0, input.count * size)
    forEachPosition { source, result in memcpy(dx + source * size, dy + result * size, input.channels * size) }
  }

  /// Offsets of the copied channels in x and in y.
  private func forEachPosition(_ body: (Int, Int) -> Void) {
    let before = (output.channels - input.channels) / 2
    for sample in 0..<input.batch {
      for row in 0..<output.height {
        for column in 0..<output.width {
          let source = (sample * input.height + row * stride) * input.width + column * stride
          let result = (sample * output.height + row) * output.width + column
          body(source * input.channels, result * output.channels + before)
        }
      }
    }
  }
}
