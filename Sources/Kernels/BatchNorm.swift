import CKernels

/// Batch normalisation over the last axis with the batch's own statistics (Ioffe and Szegedy 2015), with what
/// surrounds it in a residual network: y = relu?((x - mean) scale + shift, + addend).
package final class BatchNorm {
  /// PyTorch's defaults, which every published recipe uses.
  package static let epsilon: Float = 1e-5
  package static let momentum: Double = 0.1

  private let rows: Int
  private let channels: Int
  private let relu: Bool
  /// Per channel, left by forward for backward: the mean, and the scale weight / sqrt(variance + eps).
  private let mean, scale: Tensor
  /// Coefficients of either pass.
  private let a, b, c: Tensor
  /// Per channel in double: mean and variance of the batch, and the sums of backward.
  private let statistics: Doubles
  private let sums: Doubles

  private final class Doubles {
    let first, second: UnsafeMutablePointer<Double>
    init(_ channels: Int) {
      first = .allocate(capacity: 2 * channels)
      second = first + channels
    }
    deinit { first.deallocate() }
  }

  package init(_ shape: Shape, relu: Bool) {
    rows = shape.rows
    channels = shape.channels
    self.relu = relu
    func vector() -> Tensor { Tensor(count: shape.channels) }
    (mean, scale, a, b, c) = (vector(), vector(), vector(), vector(), vector())
    (statistics, sums) = (Doubles(shape.channels), Doubles(shape.channels))
  }

  /// y = (x - mean) weight / sqrt(variance + eps) + bias, + addend, max(., 0) where the layer has a ReLU; mean and biased
  /// variance over the batch and its positions. `running` (mean, then variance) moves by the momentum towards the batch's
  /// mean and unbiased variance. y may be x.
  package func forward(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    running: (mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>)?,
    addend: UnsafePointer<Float>? = nil, into y: UnsafeMutablePointer<Float>
  ) {
    ck_batch_statistics(x, rows, Int32(channels), statistics.first, statistics.second)
    for channel in 0..<channels {
      let exact = Double(weight[channel]) / (statistics.second[channel] + Double(Self.epsilon)).squareRoot()
      mean.pointer[channel] = Float(statistics.first[channel])
      scale.pointer[channel] = Float(exact)
      // What rounding took from the mean goes into the shift: an output near zero decides a ReLU.
      let lost = statistics.first[channel] - Double(mean.pointer[channel])
      a.pointer[channel] = Float(Double(bias[channel]) - lost * exact)
    }
    if let running { update(running) }
    ck_normalize(
      x, rows, Int32(channels), mean.pointer, scale.pointer, a.pointer, addend, relu ? 1 : 0, y)
  }

  private func update(_ running: (mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>)) {
    // One row has no unbiased variance: it stays 0. PyTorch refuses such a batch; here a ragged one may be of one sample.
    let correction = Double(rows) / Double(max(rows - 1, 1))
    func move(_ value: inout Float, towards batch: Double) {
      value = Float((1 - Self.momentum) * Double(value) + Self.momentum * batch)
    }
    for channel in 0..<channels {
      move(&running.mean[channel], towards: statistics.first[channel])
      move(&running.variance[channel], towards: statistics.second[channel] * correction)
    }
  }

  /// forward was y = relu((x - mean) scale + bias + addend). With d = dy where y > 0 (all of dy without a ReLU):
  /// dbias = sum d, dweight = sum d x^, dx = scale (d - mean(d) - x^ mean(d x^)), x^ = (x - mean) / sqrt(variance + eps).
  /// dy is the sum of `sources`; d is stored in `masked` (it is the addend's gradient), dx in `dx`, which may be `masked`.
  package func backward(
    sources: UnsafeBufferPointer<UnsafePointer<Float>?>, y: UnsafePointer<Float>, x: UnsafePointer<Float>,
    masked d: UnsafeMutablePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
    biasGradient: UnsafeMutablePointer<Float>, into dx: UnsafeMutablePointer<Float>
  ) {
    ck_mask_and_sums(
      sources.baseAddress!, Int32(sources.count), relu ? y : nil, x, mean.pointer, rows, Int32(channels), d,
      sums.first, sums.second)
    let count = Double(rows)
    for channel in 0..<channels {
      let scale = Double(scale.pointer[channel])
      let inverse = 1 / (statistics.second[channel] + Double(Self.epsilon))
      biasGradient[channel] = Float(sums.first[channel])
      weightGradient[channel] = Float(sums.second[channel] * inverse.squareRoot())
      a.pointer[channel] = Float(scale)
      b.pointer[channel] = Float(-scale * inverse * sums.second[channel] / count)
      c.pointer[channel] = Float(-scale * sums.first[channel] / count)
    }
    ck_normalize_backward(d, x, mean.pointer, a.pointer, b.pointer, c.pointer, rows, Int32(channels), dx)
  }

  /// Evaluation mode folded into the convolution before it: w' = w weight / sqrt(variance + eps) per filter, and
  /// b' = bias - mean weight / sqrt(variance + eps). `filters` is OIHW, `size` elements a filter.
  package static func fold(
    filters: UnsafePointer<Float>, size: Int, channels: Int, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
    intoFilters folded: UnsafeMutablePointer<Float>, intoBias foldedBias: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      let scale = weight[channel] / (variance[channel] + epsilon).squareRoot()
      foldedBias[channel] = bias[channel] - mean[channel] * scale
      for index in channel * size..<(channel + 1) * size { folded[index] = filters[index] * scale }
    }
  }
}
