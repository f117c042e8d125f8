/// Resampling with replacement (Efron 1979).
package enum Bootstrap {
  package static let draws = 200

  /// The middle `confidence` of what `statistic` comes to.
  package static func interval(
    of values: [Double], confidence: Double = 0.95, _ statistic: ([Double]) -> Double
  ) -> ClosedRange<Double> {
    var random = SplitMix(state: 1)
    return middle(
      (0..<draws).map { _ in statistic(values.map { _ in values.randomElement(using: &random)! }) }, confidence)
  }

  /// The interval that holds the middle `confidence` of some values.
  package static func middle(_ values: [Double], _ confidence: Double = 0.95) -> ClosedRange<Double> {
    let sorted = values.sorted()
    let place = { (share: Double) in sorted[Int((share * Double(sorted.count - 1)).rounded())] }
    return place((1 - confidence) / 2)...place((1 + confidence) / 2)
  }
}
