import Kernels
import TestSupport
import Testing

@Suite struct `Batch normalisation` {
  @Test(arguments: Golden.Source.allCases)
  func `training mode agrees with PyTorch, forward, backward and running statistics`(source: Golden.Source) throws {
    guard let golden = try Golden.load("operators", from: source) else { return }
    let size = golden.shape("bn_train.x")
    let shape = Shape(batch: size[0], height: size[2], width: size[3], channels: size[1])
    let x = try golden.channelsLast("bn_train.x")
    let dy = try golden.channelsLast("bn_train.dy")
    let weight = try golden.floats("bn_train.weight")
    let bias = try golden.floats("bn_train.bias")
    var mean = try golden.floats("bn_train.running_mean")
    var variance = try golden.floats("bn_train.running_var")
    let norm = BatchNorm(shape, relu: false)
    let (y, dx, dweight, dbias) = (Tensor(shape), Tensor(shape), Tensor(count: size[1]), Tensor(count: size[1]))
    mean.withUnsafeMutableBufferPointer { mean in
      variance.withUnsafeMutableBufferPointer { variance in
        norm.forwardInPieces(
          x, rows: shape.rows, weight: weight, bias: bias, running: (mean.baseAddress!, variance.baseAddress!),
          into: y.pointer)
      }
    }
    norm.beginBackward()
    dy.withUnsafeBufferPointer { dy in
      for piece in BatchNorm.pieces(rows: shape.rows) {
        let start = piece.lowerBound * shape.channels
        let sources: [UnsafeRawPointer?] = [UnsafeRawPointer(dy.baseAddress! + start)]
        sources.withUnsafeBufferPointer { sources in
          x.withUnsafeBufferPointer { x in
            norm.mask(
              sources: sources, y: y.pointer + start, x: x.baseAddress! + start, rows: piece.count,
              into: dx.pointer + start)
          }
        }
      }
    }
    norm.endBackward(parameters: (dweight.pointer, dbias.pointer))
    norm.backward(dx.pointer, x: x, rows: shape.rows, into: dx.pointer)
    // Operators within 5e-5 of the largest value: float32 against double precision in the reference itself.
    for (ours, name) in [(y.values, "y"), (dx.values, "dx")] {
      #expect(Distance.maximum(ours, try golden.channelsLast("bn_train.\(name)")) < 5e-5, "\(name)")
    }
    #expect(Distance.maximum(dweight.values, try golden.floats("bn_train.dweight")) < 5e-5)
    #expect(Distance.maximum(dbias.values, try golden.floats("bn_train.dbias")) < 5e-5)
    #expect(Distance.maximum(mean, try golden.floats("bn_train.running_mean_after")) < 5e-5)
    #expect(Distance.maximum(variance, try golden.floats("bn_train.running_var_after")) < 5e-5)
  }

  @Test(arguments: Golden.Source.allCases)
  func `evaluation mode, folded into a convolution, agrees with PyTorch`(source: Golden.Source) throws {
    guard let golden = try Golden.load("operators", from: source) else { return }
    let size = golden.shape("bn_eval.x")
    let shape = Shape(batch: size[0], height: size[2], width: size[3], channels: size[1])
    let channels = shape.channels
    let identity = (0..<channels * channels).map { Float($0 / channels == $0 % channels ? 1 : 0) }
    let (filters, bias, y) = (Tensor(count: channels * channels), Tensor(count: channels), Tensor(shape))
    BatchNorm.fold(
      filters: identity, size: channels, channels: channels, weight: try golden.floats("bn_eval.weight"),
      bias: try golden.floats("bn_eval.bias"), mean: try golden.floats("bn_eval.running_mean"),
      variance: try golden.floats("bn_eval.running_var"), intoFilters: filters.pointer, intoBias: bias.pointer)
    let geometry = ConvolutionGeometry(input: shape, outputs: channels, kernel: 1, stride: 1, padding: 0)
    let convolution = Convolution(
      geometry, backend: .onednn, passes: .forward, fusing: .bias, scratch: Scratch())
    convolution.load(filters.pointer)
    convolution.forward(try golden.channelsLast("bn_eval.x"), bias: bias.pointer, into: y.pointer)
    #expect(Distance.maximum(y.values, try golden.channelsLast("bn_eval.y")) < 5e-5)
  }

  @Test(arguments: [1, 3, 16, 64, 600])
  func `statistics of a large batch with a large mean keep their digits`(channels: Int) {
    // Naive sums of squares lose every digit of the variance here: mean 1000, deviation 1.
    let rows = 5000
    var stream = RandomStream(seed: 3, purpose: .test)
    let x = (0..<rows * channels).map { _ in Float(1000 + stream.normal()) }
    let norm = BatchNorm(Shape(batch: rows, channels: channels), relu: false)
    let y = Tensor(Shape(batch: rows, channels: channels))
    let ones = [Float](repeating: 1, count: channels)
    norm.forwardInPieces(
      x, rows: rows, weight: ones, bias: [Float](repeating: 0, count: channels), running: nil, into: y.pointer)
    for channel in 0..<channels {
      let column = stride(from: channel, to: x.count, by: channels)
      let mean = column.reduce(0.0) { $0 + Double(x[$1]) } / Double(rows)
      let variance = column.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / Double(rows)
      let expected = (Double(x[channel]) - mean) / (variance + 1e-5).squareRoot()
      // x itself is rounded to 6e-5 here, and the mean to as much.
      #expect(abs(Double(y.values[channel]) - expected) < 2e-4)
    }
  }
}

extension BatchNorm {
  /// A batch in two pieces of unequal size, as a network runs it.
  static func pieces(rows: Int) -> [Range<Int>] { [0..<rows / 3, rows / 3..<rows] }

  func forwardInPieces(
    _ x: [Float], rows: Int, weight: [Float], bias: [Float],
    running: (mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>)?,
    into y: UnsafeMutablePointer<Float>
  ) {
    let channels = weight.count
    x.withUnsafeBufferPointer { x in
      beginForward()
      for piece in Self.pieces(rows: rows) { measure(x.baseAddress! + piece.lowerBound * channels, rows: piece.count) }
      endForward(weight: weight, bias: bias, running: running)
      for piece in Self.pieces(rows: rows) {
        let start = piece.lowerBound * channels
        forward(x.baseAddress! + start, rows: piece.count, into: y + start)
      }
    }
  }
}
