import Reporting
import Runtime

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
