import CKernels

/// Batch normalisation over the last axis with the batch's own statistics (Ioffe and Szegedy 2015), with what
/// surrounds it in a residual network: y = relu?((x - mean) scale + shift, + addend).
///
/// A batch goes through piece by piece, so that each pass over memory can follow the one that wrote it while the piece
/// is still in the cache: `beginForward`, `measure` every piece, `endForward`, `forward` every piece; and likewise
/// backwards.
package final class BatchNorm {
  /// PyTorch's defaults, which every published recipe uses.
  package static let epsilon: Float = 1e-5
  package static let momentum: Double = 0.1

  /// Floats per position, and positions of the whole batch.
  private let channels: Int
  private let rows: Int
  private let relu: Bool
  /// Of x, y, and the gradients with respect to them.
  private let element: ElementType
  /// Floats of a row as the loops read it, several positions; coefficients are repeated along it.
  private let width: Int
  /// Of forward, left for backward: the mean, the scale weight / sqrt(variance + eps), and the bias.
  private let mean, scale, shift: Tensor
  /// Of backward, beside the scale.
  private let b, c: Tensor
  private let work: Tensor
  private var rowsMeasured = 0
  /// The last forward pass took statistics that do not depend on the batch.
  private var isGiven = false
  /// Per channel: mean and variance of the batch (until `endForward`, the sum of squared distances).
  private let statistics: Doubles
  /// Per channel: sum of d, and of d (x - mean).
  private let sums: Doubles

  private final class Doubles {
    let first, second: UnsafeMutablePointer<Double>
    private let count: Int
    init(_ channels: Int) {
      count = 2 * channels
      first = .allocate(capacity: count)
      second = first + channels
      clear()
    }
    deinit { first.deallocate() }
    func clear() { first.update(repeating: 0, count: count) }
    func copy(_ other: Doubles) { first.update(from: other.first, count: count) }
  }

  private let epsilon: Float
  private let momentum: Double

  /// For batches of `shape`; the running statistics move by `momentum` of the way to the batch's.
  package init(
    _ shape: Shape, relu: Bool, element: ElementType = .float32, epsilon: Float = BatchNorm.epsilon,
    momentum: Double = BatchNorm.momentum
  ) {
    channels = shape.channels
    rows = shape.rows
    self.relu = relu
    self.element = element
    self.epsilon = epsilon
    self.momentum = momentum
    let width = Int(ck_row_width(Int32(shape.channels)))
    self.width = width
    func row() -> Tensor { Tensor(count: width) }
    mean = row()
    scale = row()
    shift = row()
    b = row()
    c = row()
    work = Tensor(count: 3 * width)
    statistics = Doubles(shape.channels)
    sums = Doubles(shape.channels)
  }

  /// What one takes, without making it: eight rows of floats, four numbers a channel.
  package static func memory(channels: Int) -> MemoryUse {
    // A row of many channels has one position.
    let width = channels < 1 << 24 ? Int(ck_row_width(Int32(channels))) : channels
    return MemoryUse(own: 8 * 4 * Double(width) + 4 * 8 * Double(channels))
  }

  // MARK: Forward

  package func beginForward() {
    statistics.clear()
    rowsMeasured = 0
    isGiven = false
  }

  /// Takes `rows` further positions of x into the statistics.
  package func measure(_ x: UnsafeRawPointer, rows: Int) {
    ck_add_statistics(
      element.code, x, rows, Int32(channels), rowsMeasured, statistics.first, statistics.second, work.pointer)
    rowsMeasured += rows
  }

  /// The whole batch is measured: mean and biased variance over the batch and its positions. `running` (mean, then
  /// variance) moves by the momentum towards the batch's mean and unbiased variance.
  package func endForward(
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    running: (mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>)?
  ) {
    precondition(rowsMeasured == rows, "\(rowsMeasured) positions measured of \(rows)")
    for channel in 0..<channels { statistics.second[channel] /= Double(rows) }
    setCoefficients(weight, bias)
    if let running { update(running) }
  }

  /// Instead of `measure` and `endForward`: normalises by `mean` and `variance`, as evaluation mode does by the running
  /// statistics; the backward pass takes them as constants.
  package func useGiven(
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    variance: UnsafePointer<Float>
  ) {
    isGiven = true
    for channel in 0..<channels {
      statistics.first[channel] = Double(mean[channel])
      statistics.second[channel] = Double(variance[channel])
    }
    setCoefficients(weight, bias)
  }

  /// Instead of `measure` and `endForward`: normalises as `other` did last, to the bit.
  package func adopt(_ other: BatchNorm) {
    isGiven = true
    statistics.copy(other.statistics)
    for (own, others) in [(mean, other.mean), (scale, other.scale), (shift, other.shift)] {
      own.pointer.update(from: others.pointer, count: width)
    }
  }

  private func setCoefficients(_ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>) {
    for channel in 0..<channels {
      let exact = Double(weight[channel]) / (statistics.second[channel] + Double(epsilon)).squareRoot()
      let rounded = Float(statistics.first[channel])
      // What rounding took from the mean goes into the shift: an output near zero decides a ReLU.
      let lost = statistics.first[channel] - Double(rounded)
      set(mean, channel, rounded)
      set(scale, channel, Float(exact))
      set(shift, channel, Float(Double(bias[channel]) - lost * exact))
    }
  }

  /// y = (x - mean) weight / sqrt(variance + eps) + bias, + addend, max(., 0) where the layer has a ReLU, for `rows`
  /// positions. y may be x.
  package func forward(
    _ x: UnsafeRawPointer, rows: Int, addend: UnsafeRawPointer? = nil, into y: UnsafeMutableRawPointer
  ) {
    ck_normalize(
      element.code, x, rows * channels, Int32(width), mean.pointer, scale.pointer, shift.pointer, addend, relu ? 1 : 0,
      y)
  }

  private func update(_ running: (mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>)) {
    // One row has no unbiased variance: it stays 0. PyTorch refuses such a batch; here a ragged one may be of one
    // sample.
    let correction = Double(rows) / Double(max(rows - 1, 1))
    func move(_ value: inout Float, towards batch: Double) {
      value = Float((1 - momentum) * Double(value) + momentum * batch)
    }
    for channel in 0..<channels {
      move(&running.mean[channel], towards: statistics.first[channel])
      move(&running.variance[channel], towards: statistics.second[channel] * correction)
    }
  }

  // MARK: Backward
  // forward was y = relu((x - mean) scale + bias + addend). With d = dy where y > 0 (all of dy without a ReLU): dbias =
  // sum d, dweight = sum d x^, dx = scale (d - mean(d) - x^ mean(d x^)), x^ = (x - mean) / sqrt(variance + eps).

  package func beginBackward() { sums.clear() }

  /// d of `rows` positions, and its part of the sums. dy is the sum of `sources`; d (it is the addend's gradient) may
  /// be one of them.
  package func mask(
    sources: UnsafeBufferPointer<UnsafeRawPointer?>, y: UnsafeRawPointer, x: UnsafeRawPointer, rows: Int,
    into d: UnsafeMutableRawPointer
  ) {
    ck_mask_and_add_sums(
      element.code, sources.baseAddress!, Int32(sources.count), relu ? y : nil, x, mean.pointer, rows, Int32(channels),
      d,
      sums.first, sums.second, work.pointer)
  }

  /// The whole batch is masked: the gradients of weight and bias, where they are wanted.
  package func endBackward(
    parameters: (weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)?
  ) {
    let count = Double(rows)
    for channel in 0..<channels {
      let exact = Double(scale.pointer[channel])
      let inverse = 1 / (statistics.second[channel] + Double(epsilon))
      if let parameters {
        parameters.bias[channel] = Float(sums.first[channel])
        parameters.weight[channel] = Float(sums.second[channel] * inverse.squareRoot())
      }
      set(b, channel, isGiven ? 0 : Float(-exact * inverse * sums.second[channel] / count))
      set(c, channel, isGiven ? 0 : Float(-exact * sums.first[channel] / count))
    }
  }

  /// dx of `rows` positions; it may be d.
  package func backward(
    _ d: UnsafeRawPointer, x: UnsafeRawPointer, rows: Int, into dx: UnsafeMutableRawPointer
  ) {
    ck_normalize_backward(
      element.code, d, x, mean.pointer, scale.pointer, b.pointer, c.pointer, rows * channels, Int32(width), dx)
  }

  /// dx = scale d of `count` values: mean and variance are constants. dx may be d.
  package func backwardByConstants(_ d: UnsafeRawPointer, count: Int, into dx: UnsafeMutableRawPointer) {
    let nothing = work.pointer
    nothing.update(repeating: 0, count: width)
    ck_normalize_backward(
      element.code, d, d, mean.pointer, scale.pointer, nothing, nothing, count, Int32(width), dx)
  }

  /// Repeats a channel's coefficient along the row.
  private func set(_ row: Tensor, _ channel: Int, _ value: Float) {
    for index in stride(from: channel, to: width, by: channels) { row.pointer[index] = value }
  }

  /// Evaluation mode folded into the convolution before it: w' = w weight / sqrt(variance + eps) per filter, and
  /// b' = bias - mean weight / sqrt(variance + eps). `filters` is OIHW, `size` elements a filter. `filterBias` is the
  /// convolution's own, where it has one.
  package static func fold(
    filters: UnsafePointer<Float>, size: Int, channels: Int, filterBias: UnsafePointer<Float>? = nil,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    variance: UnsafePointer<Float>, epsilon: Float = BatchNorm.epsilon,
    intoFilters folded: UnsafeMutablePointer<Float>, intoBias foldedBias: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      let scale = weight[channel] / (variance[channel] + epsilon).squareRoot()
      let distance = filterBias.map { mean[channel] - $0[channel] } ?? mean[channel]
      foldedBias[channel] = bias[channel] - distance * scale
      for index in channel * size..<(channel + 1) * size { folded[index] = filters[index] * scale }
    }
  }

  /// Evaluation mode by itself: y = x weight' + bias', where weight' = weight / sqrt(variance + eps) and
  /// bias' = bias - mean weight'.
  package static func fold(
    channels: Int, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    variance: UnsafePointer<Float>, epsilon: Float, intoWeight foldedWeight: UnsafeMutablePointer<Float>,
    intoBias foldedBias: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      let scale = weight[channel] / (variance[channel] + epsilon).squareRoot()
      foldedBias[channel] = bias[channel] - mean[channel] * scale
      foldedWeight[channel] = scale
    }
  }
}
