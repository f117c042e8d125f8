import Kernels
import Testing

/// A NaN stays one through every forward kernel: a ReLU that makes 0 of it gives healthy figures of broken weights.
@Suite struct `Values that are not finite` {
  /// Each way that a convolution can go: kernels of ours for few and for 16 or 32 channels, a library's for the rest.
  static let geometries = [
    (inputs: 3, outputs: 16, kernel: 3, stride: 1), (inputs: 1, outputs: 16, kernel: 3, stride: 1),
    (inputs: 16, outputs: 16, kernel: 3, stride: 1), (inputs: 32, outputs: 32, kernel: 3, stride: 1),
    (inputs: 64, outputs: 64, kernel: 3, stride: 1), (inputs: 16, outputs: 32, kernel: 3, stride: 2),
    (inputs: 16, outputs: 32, kernel: 1, stride: 2), (inputs: 5, outputs: 7, kernel: 3, stride: 1),
  ]

  @Test(arguments: ConvolutionBackend.allCases, geometries)
  func `a convolution keeps a NaN of image, weights, bias and addend, and a ReLU the sign of the rest`(
    backend: ConvolutionBackend, form: (inputs: Int, outputs: Int, kernel: Int, stride: Int)
  ) {
    let geometry = ConvolutionGeometry(
      input: Shape(batch: 2, height: 9, width: 9, channels: form.inputs), outputs: form.outputs, kernel: form.kernel,
      stride: form.stride, padding: form.kernel / 2)
    let counts = (geometry.input.count, geometry.weightCount, form.outputs, geometry.output.count)
    // In the image's middle, and of the last output, whatever the vectors' width.
    let middle = (4 * 9 + 4) * form.inputs + form.inputs - 1
    let lastFilter = (form.outputs - 1) * form.inputs * form.kernel * form.kernel
    for (fusion, broken) in [
      ([], 0), ([], 1), ([.bias, .relu], 0), ([.bias, .relu], 1), ([.bias, .relu], 2), ([.bias, .addend, .relu], 3),
    ] as [(Convolution.Fusion, Int)] {
      var stream = RandomStream(seed: 1, purpose: .test)
      func normal(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.normal()) } }
      var values = [normal(counts.0), normal(counts.1), normal(counts.2), normal(counts.3)]
      let convolution = Convolution(geometry, backend: backend, passes: .forward, fusing: fusion, scratch: Scratch())
      func run() -> [Float] {
        let y = Tensor(geometry.output)
        convolution.load(values[1])
        convolution.forward(
          values[0], bias: fusion.contains(.bias) ? values[2] : nil,
          addend: fusion.contains(.addend) ? values[3] : nil, into: y.pointer)
        return y.values.map { $0 }
      }
      let healthy = run()
      values[broken][[middle, lastFilter + (form.kernel * form.kernel) / 2, form.outputs - 1, counts.3 - 1][broken]] =
        .nan
      let y = run()
      let reached = y.indices.filter { y[$0].isNaN }
      // One pixel's in all outputs; one filter's or one bias's in all positions; one element's in itself.
      let positions = geometry.output.height * geometry.output.width * 2
      let least = [form.outputs, positions, positions, 1][broken]
      #expect(reached.count >= least, "\(fusion) with a NaN in \(broken): \(reached.count) of \(least)")
      #expect(y.indices.allSatisfy { y[$0].isNaN || y[$0] == healthy[$0] })
      #expect(!fusion.contains(.relu) || healthy.allSatisfy { $0 >= 0 && $0.sign == .plus })
    }
  }

  @Test(arguments: ConvolutionBackend.allCases, [true, false])
  func `a dense layer keeps a NaN`(backend: ConvolutionBackend, relu: Bool) {
    for broken in 0..<3 {
      var values = [(3 * 40, 0.5), (7 * 40, -1), (7, 0)].map { [Float](repeating: $0.1, count: $0.0) }
      values[broken][values[broken].count - 1] = .nan
      var y = [Float](repeating: 0, count: 3 * 7)
      Linear(batch: 3, inputs: 40, outputs: 7, relu: relu, backend: backend)
        .forward(values[0], weight: values[1], bias: values[2], into: &y)
      #expect(y[20].isNaN, "in \(broken)")
      #expect(y.count(where: \.isNaN) == [7, 3, 3][broken])
    }
  }

  @Test(arguments: [true, false]) func `batch normalisation keeps a NaN of the batch, of its weights and of an addend`(
    relu: Bool
  ) {
    let (rows, channels) = (10, 3)
    for broken in 0..<4 {
      var values = [
        (0..<rows * channels).map { Float($0 % 7) }, [Float](repeating: 1, count: channels),
        [Float](repeating: -9, count: channels),
        [Float](repeating: 0, count: rows * channels),
      ]
      values[broken][1] = .nan
      let layer = BatchNorm(Shape(batch: rows, height: 1, width: 1, channels: channels), relu: relu)
      var y = [Float](repeating: 0, count: rows * channels)
      layer.beginForward()
      layer.measure(values[0], rows: rows)
      layer.endForward(weight: values[1], bias: values[2], running: nil)
      layer.forward(values[0], rows: rows, addend: values[3], into: &y)
      // Of the batch, a NaN is in its channel's statistics too.
      #expect(y.count(where: \.isNaN) == [rows, rows, rows, 1][broken], "in \(broken)")
      #expect(y[1].isNaN)
    }
  }

  @Test func `a mean over positions keeps a NaN`() {
    let shape = Shape(batch: 2, height: 3, width: 3, channels: 20)
    var x = [Float](repeating: 1, count: shape.count)
    x[shape.count - 1] = .nan
    var pooled = [Float](repeating: 0, count: 40)
    GlobalAveragePool(shape).forward(x, into: &pooled)
    #expect(pooled[39].isNaN && pooled.count(where: \.isNaN) == 1)
  }

  @Test(arguments: 0..<3) func `a cross entropy beside a NaN is one, and no sample of it is right`(place: Int) {
    for smoothing in [0, 0.1] {
      for label in 0..<3 {
        var logits: [Float] = [1, 2, 3]
        logits[place] = .nan
        var correct = 0
        let loss = CrossEntropy(classes: 3, smoothing: smoothing)(
          logits: logits, labels: [Int32(label)], samples: 1, correct: &correct)
        #expect(loss.isNaN && correct == 0)
      }
    }
  }

  @Test(arguments: 0..<3) func `a divergence is a NaN where either side has one`(place: Int) {
    var broken: [Float] = [1, 2, 3]
    broken[place] = .nan
    let whole: [Float] = [1, 2, 3]
    let divergence = SoftenedDivergence(classes: 3, temperature: 2)
    var gradient = [Float](repeating: 0, count: 3)
    #expect(divergence(student: whole, teacher: broken, samples: 1, scale: 1, adding: &gradient).isNaN)
    #expect(divergence(student: broken, teacher: whole, samples: 1, scale: 1, adding: &gradient).isNaN)
  }
}
