import Foundation

/// How late the last of many ranks is: the expected maximum of draws from what was measured.
///
/// Below the ninth tenth the measured values stand for themselves. Above it their excess is taken as exponential with
/// the mean that it has there: a maximum over thousands of ranks needs values that a few hundred steps did not show.
package struct LatestDraw: Sendable {
  private let sorted: [Double]
  /// From here on the tail; its share of the values, and its mean excess.
  private let threshold, tailShare, excess: Double

  /// At least one value.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty, "nothing was drawn")
    sorted = values.sorted()
    // Fewer values than ten have no tail that could be told.
    let tail = sorted.count < 10 ? 0 : sorted.count / 10
    let threshold = tail > 0 ? sorted[sorted.count - tail - 1] : sorted.last!
    self.threshold = threshold
    tailShare = Double(tail) / Double(sorted.count)
    excess = tail > 0 ? sorted.suffix(tail).reduce(0) { $0 + $1 - threshold } / Double(tail) : 0
  }

  /// The value that a share of 1 - `above` lies below.
  func quantile(above: Double) -> Double {
    guard above > tailShare || tailShare == 0 else { return threshold + excess * log(tailShare / above) }
    let place = min(Int((1 - above) * Double(sorted.count)), sorted.count - 1)
    return sorted[max(0, place)]
  }

  /// E[max of `count` draws]: the integral over v in 0...1 of the value that a share v^(1/count) lies below.
  package func expectedMaximum(of count: Int) -> Double {
    let parts = 2000
    return (0..<parts).reduce(0) { sum, part in
      let v = (Double(part) + 0.5) / Double(parts)
      return sum + quantile(above: -expm1(log(v) / Double(count)))
    } / Double(parts)
  }
}
