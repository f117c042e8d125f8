/// Seconds by the monotonic clock.
struct Stopwatch {
  private var start = ContinuousClock.now

  /// Since the start, or the last lap.
  var seconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// The same, and starts the next lap.
  mutating func lap() -> Double {
    defer { start = .now }
    return seconds
  }
}
