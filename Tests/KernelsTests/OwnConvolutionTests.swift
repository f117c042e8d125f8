import Kernels
import TestSupport
import Testing

/// The kernels of our own that the oneDNN backend takes for 3x3, stride 1, padding 1 and a multiple of 16 outputs, from
/// one to four inputs or, with AVX-512, from 16 or 32, against im2col with sgemm.
@Suite struct `Convolution by kernels of our own` {
  static let inputs = [1, 2, 3, 4, 16, 32]
  static let outputs = [16, 32]
  /// Below, at and above a block's 4 to 16 pixels; a single row, column and pixel, which have padding on both sides.
  static let sizes = [
    (1, 1), (1, 33), (33, 1), (2, 3), (3, 2), (5, 8), (8, 5), (2, 16), (3, 28), (1, 17), (2, 32), (3, 48), (32, 33),
    (33, 32),
  ]
  static let fusions: [Convolution.Fusion] = [
    [], .bias, .addend, .relu, [.bias, .addend], [.bias, .relu], [.addend, .relu], [.bias, .addend, .relu],
  ]

  static func geometry(batch: Int, size: (Int, Int), inputs: Int, outputs: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(
      input: Shape(batch: batch, height: size.0, width: size.1, channels: inputs), outputs: outputs, kernel: 3,
      stride: 1, padding: 1)
  }

  /// Sums of n products of normal numbers in two orders: every addition rounds a sum of some sqrt(n), so the
  /// differences' spread is about 0.4 n 2^-24; the largest of the 10^5 sums here, which are also the largest values,
  /// measured 3.6 n 2^-24. A wrong term differs by about 1. The fused additions round values below 64 once more.
  static func tolerance(terms: Int, fused: Int = 0) -> Float { (8 * Float(terms) + 64 * Float(fused)) * 0x1p-24 }

  static func farthest(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.values, b.values).reduce(0) { $1.0.isFinite ? max($0, abs($1.0 - $1.1)) : .infinity }
  }

  @Test(.long, arguments: inputs, outputs)
  func `forward with every fusion agrees with im2col`(inputs: Int, outputs: Int) {
    let scratch = Scratch()
    for size in Self.sizes {
      for batch in [1, 3] {
        let geometry = Self.geometry(batch: batch, size: size, inputs: inputs, outputs: outputs)
        var numbers = Numbers()
        let (x, w, b) = (numbers(geometry.input.count), numbers(geometry.weightCount), numbers(outputs))
        let addend = numbers(geometry.output.count)
        for fusion in Self.fusions {
          let results = ConvolutionBackend.allCases.map { backend in
            let convolution = Convolution(
              geometry, backend: backend, passes: .forward, fusing: fusion, scratch: scratch)
            let y = Tensor(geometry.output)
            convolution.load(w)
            b.withUnsafeBufferPointer { b in
              addend.withUnsafeBufferPointer { addend in
                convolution.forward(
                  x, bias: fusion.contains(.bias) ? b.baseAddress : nil,
                  addend: fusion.contains(.addend) ? addend.baseAddress : nil, into: y.pointer)
              }
            }
            return y
          }
          #expect(
            Self.farthest(results[0], results[1]) <= Self.tolerance(terms: 9 * inputs, fused: 2),
            "\(geometry) \(fusion)")
        }
      }
    }
  }

  @Test(arguments: inputs, outputs)
  func `backward to the input agrees with im2col`(inputs: Int, outputs: Int) {
    let scratch = Scratch()
    for size in Self.sizes {
      for batch in [1, 3] {
        let geometry = Self.geometry(batch: batch, size: size, inputs: inputs, outputs: outputs)
        var numbers = Numbers()
        let (dy, w) = (numbers(geometry.output.count), numbers(geometry.weightCount))
        let results = ConvolutionBackend.allCases.map { backend in
          let convolution = Convolution(geometry, backend: backend, passes: .backwardData, scratch: scratch)
          let dx = Tensor(geometry.input)
          convolution.load(w)
          convolution.backward(dy, intoInput: dx.pointer)
          return dx
        }
        #expect(Self.farthest(results[0], results[1]) <= Self.tolerance(terms: 9 * outputs), "\(geometry)")
      }
    }
  }

  @Test(arguments: [16, 32], [16, 32])
  func `backward with sources and a mask is the plain one, then added and masked`(inputs: Int, outputs: Int) {
    guard KernelLibrary.instructionSet == "AVX-512" else {
      print("SKIPPED: no AVX-512 here, with which alone a backward pass masks")
      return
    }
    let scratch = Scratch()
    for size in [(1, 16), (3, 16), (2, 32), (5, 48)] {
      let geometry = Self.geometry(batch: 2, size: size, inputs: inputs, outputs: outputs)
      let convolution = Convolution(geometry, backend: .onednn, passes: .backwardData, scratch: scratch)
      #expect(convolution.masksBackward)
      guard convolution.masksBackward else { return }
      var numbers = Numbers()
      let (dy, w) = (numbers(geometry.output.count), numbers(geometry.weightCount))
      let (first, second, y) = (
        numbers(geometry.input.count), numbers(geometry.input.count), numbers(geometry.input.count)
      )
      convolution.load(w)
      let plain = Tensor(geometry.input)
      convolution.backward(dy, intoInput: plain.pointer)
      for count in 0...2 {
        for isMasked in [false, true] {
          // It may lie where a source did.
          let dx = Tensor(geometry.input)
          _ = dx.values.update(fromContentsOf: first)
          second.withUnsafeBufferPointer { second in
            y.withUnsafeBufferPointer { y in
              let sources: [UnsafeRawPointer?] = [UnsafeRawPointer(dx.pointer), UnsafeRawPointer(second.baseAddress!)]
              sources.withUnsafeBufferPointer { sources in
                convolution.backward(
                  dy, adding: UnsafeBufferPointer(rebasing: sources[..<count]),
                  maskedBy: isMasked ? y.baseAddress : nil, intoInput: dx.pointer)
              }
            }
          }
          for i in 0..<dx.count {
            var expected = plain.values[i]
            if count > 0 { expected += first[i] }
            if count > 1 { expected += second[i] }
            if isMasked, !(y[i] > 0) { expected = 0 }
            guard dx.values[i] != expected else { continue }
            Issue.record("\(geometry), \(count) sources, mask \(isMasked): \(dx.values[i]) is not \(expected) at \(i)")
            return
          }
        }
      }
    }
  }

  /// The neighbours are not numbers, so a read of what lies before or after the sample shows too.
  @Test(arguments: inputs, [(1, 1), (3, 5), (8, 8), (9, 33), (2, 16)])
  func `a sample has the same bits alone and between others`(inputs: Int, size: (Int, Int)) {
    let scratch = Scratch()
    var numbers = Numbers()
    let alone = Self.geometry(batch: 1, size: size, inputs: inputs, outputs: 32)
    let (x, dy) = (numbers(alone.input.count), numbers(alone.output.count))
    let (w, b) = (numbers(alone.weightCount), numbers(alone.outputs))
    func bits(batch: Int, sample: Int) -> [[UInt32]] {
      let geometry = Self.geometry(batch: batch, size: size, inputs: inputs, outputs: 32)
      func placed(_ values: [Float]) -> [Float] {
        (0..<batch).flatMap { $0 == sample ? values : values.map { _ in .nan } }
      }
      func sampleBits(_ tensor: Tensor) -> [UInt32] {
        let count = tensor.count / batch
        return tensor.values[sample * count..<(sample + 1) * count].map(\.bitPattern)
      }
      let convolution = Convolution(
        geometry, backend: .onednn, passes: [.forward, .backwardData], fusing: [.bias, .relu], scratch: scratch)
      let (y, dx) = (Tensor(geometry.output), Tensor(geometry.input))
      convolution.load(w)
      convolution.forward(placed(x), bias: b, into: y.pointer)
      convolution.backward(placed(dy), intoInput: dx.pointer)
      return [sampleBits(y), sampleBits(dx)]
    }
    let reference = bits(batch: 1, sample: 0)
    for (batch, sample) in [(2, 0), (2, 1), (3, 1), (5, 4)] {
      #expect(bits(batch: batch, sample: sample) == reference, "sample \(sample) of \(batch)")
    }
  }

  @Test
  func `what is not a number passes the fused ReLU`() {
    let geometry = Self.geometry(batch: 1, size: (4, 9), inputs: 3, outputs: 16)
    let convolution = Convolution(geometry, backend: .onednn, passes: .forward, fusing: .relu, scratch: Scratch())
    let y = Tensor(geometry.output)
    convolution.load([Float](repeating: -1, count: geometry.weightCount))
    convolution.forward([Float](repeating: .nan, count: geometry.input.count), into: y.pointer)
    #expect(y.values.allSatisfy { $0.isNaN })
  }
}

/// Normal numbers, always the same.
struct Numbers {
  private var stream = RandomStream(seed: 1, purpose: .test)
  mutating func callAsFunction(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.normal()) } }
}
