import Reporting

/// Two folders of the same series, such as of two commits or two clusters.
package struct ScalingComparison: Sendable {
  private let one, other: ScalingMeasurements

  package init(_ one: ScalingMeasurements, _ other: ScalingMeasurements) {
    self.one = one
    self.other = other
  }

  /// Of every count that both have.
  package var markdown: String {
    var text = "# Scaling, compared\n\n"
    for (letter, measurements) in [("A", one), ("B", other)] {
      let disturbed = measurements.points.count { $0.record.isDisturbed }
      text +=
        "\(letter): `\(measurements.name)`, \(measurements.first.model), \(measurements.first.program); \(disturbed) of "
        + "\(measurements.points.count) points disturbed.\n"
    }
    var hasAny = false
    for series in ScalingReport.series {
      let rows = one.counts(series).compactMap { count in
        other.counts(series).first { $0.ranks == count.ranks }.map { row(count, $0) }
      }
      guard !rows.isEmpty else { continue }
      hasAny = true
      text +=
        "\n## \(ScalingReport.title(series))\n\n"
        + ScalingReport.table(
          [
            "ranks", "A, ms", "B, ms", "B / A", "95 %", "A parallel", "B parallel", "A exposed", "B exposed",
            "A imbalance", "B imbalance",
          ], rows)
    }
    return text + (hasAny ? "" : "\nThey have no count of one series in common.\n")
  }

  private func row(_ a: CountSummary, _ b: CountSummary) -> [String] {
    var random = SplitMix(state: 3)
    let ratios = (0..<Bootstrap.draws).map { _ in
      let draw = { (times: [Double]) in Statistics.median(times.map { _ in times.randomElement(using: &random)! })! }
      return draw(b.times) / draw(a.times)
    }
    let interval = Bootstrap.middle(ratios)
    return [
      "\(a.ranks)", milliseconds(a.time), milliseconds(b.time), decimal(b.time / a.time, places: 3),
      "\(decimal(interval.lowerBound, places: 3)) to \(decimal(interval.upperBound, places: 3))",
      percent(one.parallelEfficiency(a)), percent(other.parallelEfficiency(b)), milliseconds(a.breakdown.exposed),
      milliseconds(b.breakdown.exposed), milliseconds(a.breakdown.imbalance), milliseconds(b.breakdown.imbalance),
    ]
  }
}
