import Foundation

/// What several runs of one setting say together.
package enum Statistics {
  /// Nil of nothing.
  package static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// With n - 1 in the denominator; nil of fewer than two values.
  package static func standardDeviation(_ values: [Double]) -> Double? {
    guard values.count > 1, let mean = mean(values) else { return nil }
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  /// Of an even number of values the mean of the middle two; nil of nothing.
  package static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// How many values the interval takes to leave 0 out, were mean and deviation to stay as they are; nil where that is
  /// more than `most`.
  package static func countToShow(mean: Double, standardDeviation: Double, most: Int) -> Int? {
    func isEnough(_ count: Int) -> Bool {
      let t = StudentT.quantile(0.975, degreesOfFreedom: count - 1)
      return t * standardDeviation / Double(count).squareRoot() < abs(mean)
    }
    // The interval only shrinks with more of them.
    guard most > 1, isEnough(most) else { return nil }
    var (low, high) = (1, most)
    while high - low > 1 {
      let middle = (low + high) / 2
      if isEnough(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// Half the width of the interval that holds the mean with `confidence`, where the values are independent and about
  /// normal: t s / sqrt(n), t of n - 1 degrees of freedom. Nil of fewer than two values.
  package static func intervalHalfWidth(_ values: [Double], confidence: Double = 0.95) -> Double? {
    guard let deviation = standardDeviation(values) else { return nil }
    let t = StudentT.quantile((1 + confidence) / 2, degreesOfFreedom: values.count - 1)
    return t * deviation / Double(values.count).squareRoot()
  }
}
