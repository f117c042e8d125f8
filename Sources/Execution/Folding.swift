import Graph
import Kernels
import Operators

/// A batch normalisation in evaluation mode as part of weights: those of the convolution before it, or its own.
package struct Folding: Sendable {
  package struct Filters: Sendable {
    package var weight: String
    package var bias: String?
  }
  package var filters: Filters?
  /// The names of its variables.
  package var weight, bias, mean, variance: String
  package var epsilon: Float

  /// Writes the folded values over those of `weights`, which are the parameters'.
  func apply(
    _ layout: ParameterLayout, _ parameters: UnsafePointer<Float>, _ statistics: UnsafePointer<Float>,
    to weights: UnsafeMutablePointer<Float>
  ) {
    let bias = layout.range(of: self.bias)
    let weight = parameters + layout.start(of: self.weight)
    let mean = statistics + layout.start(of: self.mean)
    let variance = statistics + layout.start(of: self.variance)
    let foldedBias = weights + bias.lowerBound
    guard let filters else {
      return BatchNorm.fold(
        channels: bias.count, weight: weight, bias: parameters + bias.lowerBound, mean: mean, variance: variance,
        epsilon: epsilon, intoWeight: weights + layout.start(of: self.weight), intoBias: foldedBias)
    }
    let range = layout.range(of: filters.weight)
    BatchNorm.fold(
      filters: parameters + range.lowerBound, size: range.count / bias.count, channels: bias.count,
      filterBias: filters.bias.map { parameters + layout.start(of: $0) }, weight: weight,
      bias: parameters + bias.lowerBound, mean: mean, variance: variance, epsilon: epsilon,
      intoFilters: weights + range.lowerBound, intoBias: foldedBias)
  }
}
