import Kernels
import TestSupport
import Testing

/// The oneDNN backend's kernels of our own for a stem's backward pass to its input, and for a depthwise layer's to its
/// weights, against im2col with sgemm.
@Suite struct `Stems and depthwise layers` {
  typealias Own = `Convolution by kernels of our own`

  struct Filter: Sendable, CustomTestStringConvertible {
    var kernel: Int
    var stride = 1
    var padding: Int
    var testDescription: String { "\(kernel)x\(kernel), stride \(stride), padding \(padding)" }
  }

  /// Smaller than a filter; no multiple of a tile's pixels; rows that the strides do not reach.
  private static let sizes = [(4, 4), (5, 9), (12, 7), (16, 33)]

  private func geometry(
    _ filter: Filter, _ size: (Int, Int), inputs: Int, outputs: Int, groups: Int = 1
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      input: Shape(batch: 3, height: size.0, width: size.1, channels: inputs), outputs: outputs,
      kernel: .init(filter.kernel), stride: .init(filter.stride), padding: .init(filter.padding), groups: groups)
  }

  @Test(
    arguments: [
      Filter(kernel: 7, stride: 2, padding: 3), Filter(kernel: 4, stride: 4, padding: 0),
      Filter(kernel: 3, stride: 2, padding: 1), Filter(kernel: 5, padding: 2), Filter(kernel: 2, stride: 3, padding: 0),
      Filter(kernel: 1, padding: 0),
    ], [1, 2, 3, 4])
  func `a stem's backward pass to the input agrees with im2col`(filter: Filter, inputs: Int) {
    let scratch = Scratch()
    for size in Self.sizes {
      for outputs in [16, 20] {
        let geometry = geometry(filter, size, inputs: inputs, outputs: outputs)
        var numbers = Numbers()
        let (dy, w) = (numbers(geometry.output.count), numbers(geometry.weightCount))
        let results = ConvolutionBackend.allCases.map { backend in
          let convolution = Convolution(geometry, backend: backend, passes: .backwardData, scratch: scratch)
          let dx = Tensor(geometry.input)
          // What lies there must not count.
          dx.values.update(repeating: 1)
          convolution.load(w)
          convolution.backward(dy, intoInput: dx.pointer)
          return dx
        }
        let terms = filter.kernel * filter.kernel * outputs
        #expect(Own.farthest(results[0], results[1]) <= Own.tolerance(terms: terms), "\(geometry)")
      }
    }
  }

  @Test(
    arguments: [
      Filter(kernel: 7, padding: 3), Filter(kernel: 5, stride: 2, padding: 2), Filter(kernel: 5, padding: 2),
      Filter(kernel: 3, padding: 1), Filter(kernel: 2, stride: 2, padding: 0), Filter(kernel: 9, padding: 4),
    ], [16, 48, 80])
  func `a depthwise layer's weight gradients agree with im2col, over pieces and shards`(filter: Filter, channels: Int) {
    let scratch = Scratch()
    for size in [(2, 2), (3, 2)] + Self.sizes {
      let geometry = geometry(filter, size, inputs: channels, outputs: channels, groups: channels)
      var numbers = Numbers()
      let pieces = (0..<2).map { _ in (numbers(geometry.input.count), numbers(geometry.output.count)) }
      let results = ConvolutionBackend.allCases.map { backend in
        let convolution = Convolution(geometry, backend: backend, passes: .backwardWeights, scratch: scratch)
        let dw = Tensor(count: geometry.weightCount)
        for isAdded in [false, true] {
          for (index, piece) in pieces.enumerated() { convolution.backward(piece.1, x: piece.0, isFirst: index == 0) }
          convolution.weightGradient(adding: isAdded, into: dw.pointer)
        }
        return dw
      }
      let terms = 4 * 3 * size.0 * size.1
      #expect(Own.farthest(results[0], results[1]) <= Own.tolerance(terms: terms), "\(geometry)")
    }
  }
}
