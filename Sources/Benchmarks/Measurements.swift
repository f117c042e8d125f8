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

/// How often a benchmark runs what it measures.
package struct RepeatOptions: Sendable, Equatable {
  /// Runs before those that count: plans are built, memory is touched, clocks rise.
  package var warmUp: Int
  package var repeats: Int

  package init(warmUp: Int, repeats: Int) {
    self.warmUp = warmUp
    self.repeats = repeats
  }

  /// Seconds of one call of `body`, once a repeat. A repeat makes as many calls as take 5 ms, so that the clock's
  /// resolution and a single interrupt count for little.
  func secondsPerCall(_ body: () -> Void) -> Measurements {
    for _ in 0..<warmUp { body() }
    var calls = 1
    var watch = Stopwatch()
    while true {
      _ = watch.lap()
      for _ in 0..<calls { body() }
      let seconds = watch.lap()
      if seconds >= Self.repeatSeconds { break }
      calls = max(calls + 1, Int(Double(calls) * min(Self.repeatSeconds / max(seconds, 1e-9) * 1.1, 10)))
    }
    return Measurements(
      (0..<repeats).map { _ in
        _ = watch.lap()
        for _ in 0..<calls { body() }
        return watch.lap() / Double(calls)
      })
  }

  private static let repeatSeconds = 5e-3
}
