import Kernels
import TestSupport
import Testing

/// bfloat16 between layers: how numbers are rounded, and what kernels make of rounded numbers. With the same rounded
/// inputs both precisions differ by how the result is stored, 2^-8 of each value, and by the order of float sums.
@Suite struct `In bfloat16` {
  /// The largest relative error of rounding to 8 bits, the leading one counted: half of 2^-7.
  static let rounding: Float = 0x1p-8

  static func rounded(_ values: [Float]) -> [UInt16] {
    var result = [UInt16](repeating: 0, count: values.count)
    Elementwise.convert(values, .float32, count: values.count, to: .bfloat16, into: &result)
    return result
  }

  static func widened(_ values: [UInt16]) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    Elementwise.convert(values, .bfloat16, count: values.count, to: .float32, into: &result)
    return result
  }

  @Test func `numbers are rounded to the nearest, halves to even, and back they are themselves`() {
    var numbers = Numbers()
    let values =
      numbers(1000) + [0, -0, 1, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -1 - 0x1p-8, .infinity, -.infinity]
      + [Float.greatestFiniteMagnitude, Float(bitPattern: 0x7f7f_8000)]
    let results = Self.widened(Self.rounded(values))
    for (value, result) in zip(values, results) {
      guard value.isFinite, value != 0 else {
        #expect(result == value)
        continue
      }
      let unit = Double(value.binade.magnitude) * 0x1p-7
      let nearest = (Double(value) / unit).rounded(.toNearestOrEven) * unit
      #expect(Double(result) == (nearest >= 0x1p128 ? .infinity : nearest), "\(value)")
    }
    #expect(Self.rounded(results) == Self.rounded(values))
    // A payload in the lower half alone must not make an infinity of it.
    #expect(Self.widened(Self.rounded([.nan, Float(bitPattern: 0x7f80_0001), -.nan])).allSatisfy { $0.isNaN })
  }

  struct Form: Sendable, CustomTestStringConvertible {
    var inputs: Int
    var outputs: Int
    var size: Int
    var kernel = 3
    var stride = 1
    var groups = 1
    var testDescription: String {
      "\(inputs) to \(outputs), \(size), \(kernel)x\(kernel), stride \(stride), \(groups) groups"
    }
  }

  @Test(
    .bfloat16,
    arguments: [
      Form(inputs: 3, outputs: 16, size: 9), Form(inputs: 1, outputs: 32, size: 16),
      Form(inputs: 16, outputs: 16, size: 32), Form(inputs: 16, outputs: 32, size: 16),
      Form(inputs: 32, outputs: 32, size: 48), Form(inputs: 32, outputs: 16, size: 16),
      Form(inputs: 16, outputs: 32, size: 16, stride: 2), Form(inputs: 64, outputs: 64, size: 8),
      Form(inputs: 16, outputs: 32, size: 16, kernel: 1, stride: 2), Form(inputs: 5, outputs: 7, size: 6),
      Form(inputs: 24, outputs: 24, size: 10, groups: 24), Form(inputs: 12, outputs: 8, size: 7, groups: 4),
      Form(inputs: 3, outputs: 64, size: 32, kernel: 7, stride: 2), Form(inputs: 512, outputs: 256, size: 4, kernel: 1),
      Form(inputs: 48, outputs: 48, size: 9, kernel: 5, stride: 2, groups: 48),
      Form(inputs: 32, outputs: 32, size: 9, kernel: 7, groups: 32),
    ])
  func `convolutions are those of float32 on rounded numbers, rounded`(form: Form) {
    let geometry = ConvolutionGeometry(
      input: Shape(batch: 3, height: form.size, width: form.size, channels: form.inputs), outputs: form.outputs,
      kernel: .init(form.kernel), stride: .init(form.stride), padding: .init(form.kernel / 2), groups: form.groups)
    let elements = Convolution.Elements.preferred(.bfloat16, for: geometry)
    var numbers = Numbers()
    func both(_ count: Int) -> (half: [UInt16], whole: [Float]) {
      let half = Self.rounded(numbers(count))
      return (half, Self.widened(half))
    }
    let (x, dy, addend) = (both(geometry.input.count), both(geometry.output.count), both(geometry.output.count))
    // What reads images keeps its weights as they are.
    let weights = both(geometry.weightCount).whole
    let bias = numbers(form.outputs)
    let passes: Convolution.Passes = [.forward, .backwardData, .backwardWeights]
    let scratch = Scratch()
    let fusion: Convolution.Fusion = [.bias, .addend, .relu]
    let whole = Convolution(geometry, backend: .onednn, passes: passes, fusing: fusion, scratch: scratch)
    let half = Convolution(
      geometry, backend: .onednn, elements: elements, passes: passes, fusing: fusion, scratch: scratch)
    for convolution in [whole, half] { convolution.load(weights) }
    let (y, dx, dw) = (Tensor(geometry.output), Tensor(geometry.input), Tensor(count: geometry.weightCount))
    whole.forward(x.whole, bias: bias, addend: addend.whole, into: y.pointer)
    whole.backward(dy.whole, intoInput: dx.pointer)
    whole.backward(dy.whole, x: x.whole, intoWeights: dw.pointer)

    let readsImages = elements.x == .float32
    var halfY = [UInt16](repeating: 0, count: geometry.output.count)
    var halfDx = [UInt16](repeating: 0, count: geometry.input.count)
    let wholeDx = Tensor(geometry.input)
    let halfDw = Tensor(count: geometry.weightCount)
    if readsImages {
      half.forward(x.whole, bias: bias, addend: addend.half, into: &halfY)
      half.backward(dy.half, intoInput: wholeDx.pointer)
      half.backward(dy.half, x: x.whole, intoWeights: halfDw.pointer)
    } else {
      half.forward(x.half, bias: bias, addend: addend.half, into: &halfY)
      half.backward(dy.half, intoInput: &halfDx)
      half.backward(dy.half, x: x.half, intoWeights: halfDw.pointer)
    }
    let order = `Convolution by kernels of our own`.tolerance(terms: form.kernel * form.kernel * form.inputs, fused: 2)
    expect(Self.widened(halfY), like: Array(y.values), rounded: true, order, "y")
    if readsImages {
      expect(
        Array(wholeDx.values), like: Array(dx.values), rounded: false,
        `Convolution by kernels of our own`.tolerance(terms: 9 * form.outputs), "dx")
    } else {
      let terms = form.kernel * form.kernel * form.outputs
      expect(
        Self.widened(halfDx), like: Array(dx.values), rounded: true,
        `Convolution by kernels of our own`.tolerance(terms: terms), "dx")
    }
    // The weights' gradient is not rounded; a sum over batch and positions.
    let terms = geometry.output.rows
    expect(
      Array(halfDw.values), like: Array(dw.values), rounded: false,
      `Convolution by kernels of our own`.tolerance(terms: terms), "dw")
  }

  private func expect(_ values: [Float], like expected: [Float], rounded: Bool, _ order: Float, _ name: String) {
    let wrong = zip(values, expected).first { value, expected in
      !((value - expected).magnitude <= order + (rounded ? Self.rounding * expected.magnitude : 0))
    }
    #expect(wrong == nil, "\(name): \(wrong!.0) is not \(wrong!.1)")
  }

  @Test(.bfloat16, arguments: [16, 32])
  func `backward with sources and a mask adds and masks before it rounds`(channels: Int) {
    let geometry = ConvolutionGeometry(
      input: Shape(batch: 2, height: 5, width: 32, channels: channels), outputs: 32, kernel: 3, stride: 1, padding: 1)
    let scratch = Scratch()
    let whole = Convolution(geometry, backend: .onednn, passes: .backwardData, scratch: scratch)
    let half = Convolution(geometry, backend: .onednn, elements: .bfloat16, passes: .backwardData, scratch: scratch)
    guard half.masksBackward else {
      print("SKIPPED: oneDNN has the faster kernels here, and does not mask")
      return
    }
    var numbers = Numbers()
    func both(_ count: Int) -> (half: [UInt16], whole: [Float]) {
      let half = Self.rounded(numbers(count))
      return (half, Self.widened(half))
    }
    let dy = both(geometry.output.count)
    let (first, second, y) = (both(geometry.input.count), both(geometry.input.count), both(geometry.input.count))
    let weights = both(geometry.weightCount).whole
    for convolution in [whole, half] { convolution.load(weights) }
    let plain = Tensor(geometry.input)
    whole.backward(dy.whole, intoInput: plain.pointer)
    var dx = first.half
    // It may lie where a source did.
    dx.withUnsafeMutableBytes { dx in
      second.half.withUnsafeBytes { second in
        let sources: [UnsafeRawPointer?] = [UnsafeRawPointer(dx.baseAddress!), second.baseAddress!]
        sources.withUnsafeBufferPointer {
          half.backward(dy.half, adding: $0, maskedBy: y.half, intoInput: dx.baseAddress!)
        }
      }
    }
    let expected = (0..<plain.count).map { y.whole[$0] > 0 ? plain.values[$0] + first.whole[$0] + second.whole[$0] : 0 }
    expect(
      Self.widened(dx), like: expected, rounded: true,
      `Convolution by kernels of our own`.tolerance(terms: 9 * 32, fused: 2), "dx")
  }

  @Test(.bfloat16, arguments: [5, 16, 200])
  func `batch normalisation is that of float32 on rounded numbers, rounded`(channels: Int) {
    let shape = Shape(batch: 30, height: 7, width: 1, channels: channels)
    var numbers = Numbers()
    func both() -> (half: [UInt16], whole: [Float]) {
      let half = Self.rounded(numbers(shape.count))
      return (half, Self.widened(half))
    }
    let (x, addend, dy) = (both(), both(), both())
    let (weight, bias) = (numbers(channels), numbers(channels))
    func run(_ element: ElementType, _ x: UnsafeRawPointer, _ addend: UnsafeRawPointer, _ dy: UnsafeRawPointer)
      -> (y: [Float], dx: [Float], parameters: [Float])
    {
      let norm = BatchNorm(shape, relu: true, element: element)
      let (y, d) = (Tensor(shape), Tensor(shape))
      let gradients = Tensor(count: 2 * channels)
      norm.beginForward()
      norm.measure(x, rows: shape.rows)
      norm.endForward(weight: weight, bias: bias, running: nil)
      norm.forward(x, rows: shape.rows, addend: addend, into: y.pointer)
      norm.beginBackward()
      let sources: [UnsafeRawPointer?] = [dy]
      sources.withUnsafeBufferPointer {
        norm.mask(sources: $0, y: y.pointer, x: x, rows: shape.rows, into: d.pointer)
      }
      norm.endBackward(parameters: (gradients.pointer, gradients.pointer + channels))
      norm.backward(d.pointer, x: x, rows: shape.rows, into: d.pointer)
      func floats(_ tensor: Tensor) -> [Float] {
        var values = [Float](repeating: 0, count: shape.count)
        Elementwise.convert(tensor.pointer, element, count: shape.count, to: .float32, into: &values)
        return values
      }
      return (floats(y), floats(d), Array(gradients.values))
    }
    let whole = run(.float32, x.whole, addend.whole, dy.whole)
    let half = run(.bfloat16, x.half, addend.half, dy.half)
    // The same sums of the same numbers: the mask differs nowhere, since rounding keeps the sign.
    expect(half.y, like: whole.y, rounded: true, 1e-6, "y")
    expect(half.dx, like: whole.dx, rounded: true, 1e-6, "dx")
    expect(half.parameters, like: whole.parameters, rounded: false, 1e-4, "gradients of the parameters")
  }

  @Test(.bfloat16) func `what is not a number stays one`() {
    for inputs in [3, 16, 64] {
      let geometry = ConvolutionGeometry(
        input: Shape(batch: 1, height: 4, width: 16, channels: inputs), outputs: 16, kernel: 3, stride: 1, padding: 1)
      let elements = Convolution.Elements.preferred(.bfloat16, for: geometry)
      let convolution = Convolution(
        geometry, backend: .onednn, elements: elements, passes: .forward, fusing: .relu, scratch: Scratch())
      convolution.load([Float](repeating: -1, count: geometry.weightCount))
      var y = [UInt16](repeating: 0, count: geometry.output.count)
      let x = [Float](repeating: .nan, count: geometry.input.count)
      if elements.x == .float32 {
        convolution.forward(x, into: &y)
      } else {
        convolution.forward(Self.rounded(x), into: &y)
      }
      #expect(Self.widened(y).allSatisfy { $0.isNaN }, "\(inputs) channels")
    }
  }
}
