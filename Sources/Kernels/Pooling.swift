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

/// From maps (height, width, channels) to vectors in PyTorch's order (channels, height, width), so that a dense layer's
/// weights mean the same in both.
package struct Flatten: Sendable {
  private let input: Shape

  package init(_ input: Shape) { self.input = input }

  package func forward(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    forEachElement { map, vector in y[vector] = x[map] }
  }

  /// forward permuted the elements, so backward permutes them back.
  package func backward(_ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>) {
    forEachElement { map, vector in dx[map] = dy[vector] }
  }

  private func forEachElement(_ body: (Int, Int) -> Void) {
    let positions = input.height * input.width
    for sample in 0..<input.batch {
      let start = sample * input.sampleCount
      for position in 0..<positions {
        for channel in 0..<input.channels {
          body(start + position * input.channels + channel, start + channel * positions + position)
        }
      }
    }
  }
}
