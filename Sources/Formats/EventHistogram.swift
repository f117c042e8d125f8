/// How values are spread, as TensorBoard's histograms have it: counts of equal ranges from the least to the greatest.
package struct EventHistogram: Equatable, Sendable {
  package let least, greatest: Double
  package let count, sum, sumOfSquares: Double
  /// Of each range, lowest first; one where all values are equal.
  package let counts: [Double]

  /// Nil where there are no values, or some that are not finite: they have no place.
  package init?(_ values: some Collection<Float>, ranges: Int = 64) {
    guard let first = values.first else { return nil }
    var (low, high, sum, squares) = (first, first, 0.0, 0.0)
    for value in values {
      guard value.isFinite else { return nil }
      low = min(low, value)
      high = max(high, value)
      sum += Double(value)
      squares += Double(value) * Double(value)
    }
    least = Double(low)
    greatest = Double(high)
    count = Double(values.count)
    self.sum = sum
    sumOfSquares = squares
    var counts = [Double](repeating: 0, count: low < high ? ranges : 1)
    let scale = low < high ? Double(ranges) / (greatest - least) : 0
    for value in values { counts[min(counts.count - 1, Int((Double(value) - least) * scale))] += 1 }
    self.counts = counts
  }

  /// The upper end of each range.
  var limits: [Double] {
    counts.indices.map { index in
      index == counts.count - 1
        ? greatest : least + (greatest - least) * Double(index + 1) / Double(counts.count)
    }
  }
}
