import Reporting
import Runtime

/// Repeats of one measurement, of which the middle is told: a mean follows the one repeat that something disturbed.
package struct Measurements: Sendable {
  private let sorted: [Double]

  /// At least one value.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty, "nothing was measured")
    sorted = values.sorted()
  }

  package var minimum: Double { sorted[0] }
  package var maximum: Double { sorted[sorted.count - 1] }
  package var median: Double { percentile(50) }

  /// The interquartile range as a share of the median; 0 for one repeat.
  package var spread: Double { median > 0 ? (percentile(75) - percentile(25)) / median : 0 }

  /// Between the two nearest values where there is none at that place: `Measurements([1, 2, 4]).percentile(75) == 3`.
  package func percentile(_ percent: Double) -> Double {
    let place = percent / 100 * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
