import CKernels

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
