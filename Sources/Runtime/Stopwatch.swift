/// Seconds by the monotonic clock.
package struct Stopwatch {
  private var start = ContinuousClock.now

  package init() {}

  /// Since the start, or the last lap.
  package var seconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// The same, and starts the next lap.
  package mutating func lap() -> Double {
    defer { start = .now }
    return seconds
  }
}
