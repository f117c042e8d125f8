import Runtime

/// What is measured in one job: counts of ranks, series, rounds.
package struct ScalingPlan: Sendable {
  package let counts: [Int]
  package let series: [ScalingSeries]
  package let rounds: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - counts: of ranks; each once is enough.
  ///   - seed: of the order within a round.
  package init(counts: [Int], series: [ScalingSeries], rounds: Int, seed: Int) throws(UsageError) {
    guard !counts.isEmpty, counts.allSatisfy({ (1...Self.most).contains($0) }) else {
      throw UsageError("--ranks: expected counts of 1 to \(Self.most), for example 1,2,4")
    }
    guard !series.isEmpty, (1...1000).contains(rounds) else {
      throw UsageError("--rounds is \(rounds), expected 1 to 1000")
    }
    self.counts = Set(counts).sorted()
    self.series = series
    self.rounds = rounds
    self.seed = UInt64(bitPattern: Int64(seed))
  }

  package static let most = 65_536

  /// All points, round by round, each round in an order of its own: what drifts meanwhile falls on all counts alike.
  package var points: [ScalingPoint] {
    var order = SplitMix(state: seed)
    return (1...rounds).flatMap { round in
      series.flatMap { series in
        (series == .whole ? [1] : counts).map { ScalingPoint(series: series, ranks: $0, round: round) }
      }.shuffled(using: &order)
    }
  }

  /// 1, 2, 4, ... and `most` itself.
  package static func powers(upTo most: Int) -> [Int] {
    Array(sequence(first: 1) { $0 * 2 < most ? $0 * 2 : nil }) + (most > 1 ? [most] : [])
  }
}
