import CKernels

/// The parameter-free shortcut (He et al. 2015, option A): every second position in each direction, and zero channels
/// on both sides, half of them before.
package struct PadShortcut: Sendable {
  private let input: Shape
  private let output: Shape
  private let stride: Int

  package init(_ input: Shape, outputs: Int, stride: Int) {
    self.input = input
    self.stride = stride
    output = Shape(
      batch: input.batch, height: (input.height - 1) / stride + 1, width: (input.width - 1) / stride + 1,
      channels: outputs)
  }

  /// y is zero outside the copied channels; it is written whole.
  package func forward(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    y.update(repeating: 0, count: output.count)
    forEachPosition { source, result in (y + result).update(from: x + source, count: input.channels) }
  }

  /// forward copied positions, so dx is dy where it was copied from and zero elsewhere.
  package func backward(_ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>) {
    dx.update(repeating: 0, count: input.count)
    forEachPosition { source, result in (dx + source).update(from: dy + result, count: input.channels) }
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
