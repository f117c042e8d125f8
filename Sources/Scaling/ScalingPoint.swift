/// One measurement of a series: so many ranks, in one round.
package struct ScalingPoint: Hashable, Sendable {
  package let series: ScalingSeries
  package let ranks: Int
  /// From 1.
  package let round: Int

  package init(series: ScalingSeries, ranks: Int, round: Int) {
    self.series = series
    self.ranks = ranks
    self.round = round
  }

  /// "weak-0016-2": of its file, and unique in a folder.
  package var name: String {
    let digits = "\(ranks)"
    return "\(series.rawValue)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)-\(round)"
  }
}
