import Reporting

/// All rounds of one count of a series.
package struct CountSummary: Sendable {
  package let series: ScalingSeries
  package let ranks: Int
  /// Those that count: the undisturbed ones, or all where each was disturbed.
  package let rounds: [MeasuredPoint]
  /// How many rounds were disturbed, of how many.
  package let disturbed, measured: Int
  /// Seconds of a step: of each round the median of its steps with overlap.
  package let times: [Double]
  package let time: Double
  /// 95 % of the medians of rounds drawn with replacement.
  package let interval: ClosedRange<Double>
  package let breakdown: StepBreakdown
  /// The same step without overlap; nil of a single rank.
  package let withoutOverlap: StepBreakdown?
  package let efficiency: ParallelEfficiency

  /// `points` of that count; nil of none.
  /// - Parameter resamples: whether `interval` is wanted.
  package init?(_ points: [MeasuredPoint], resamples: Bool = true) {
    guard let first = points.first else { return nil }
    let quiet = points.filter { !$0.record.isDisturbed }
    let rounds = (quiet.isEmpty ? points : quiet).map(\.unstretched)
    series = first.record.series
    ranks = first.record.ranks
    disturbed = points.count - quiet.count
    measured = points.count
    let overlapped = rounds.map { $0.steps(overlap: true) }
    let plain = rounds.flatMap { $0.steps(overlap: false) }
    times = overlapped.map { steps in
      Statistics.median(steps.map { ranks in ranks.reduce(0) { $0 + $1.end - $1.begin } / Double(ranks.count) }) ?? 0
    }
    guard let breakdown = StepBreakdown(overlapped.flatMap { $0 }),
      let efficiency = ParallelEfficiency(overlapped.flatMap { $0 })
    else { return nil }
    self.rounds = rounds
    self.breakdown = breakdown
    self.efficiency = efficiency
    withoutOverlap = first.record.ranks > 1 ? StepBreakdown(plain) : nil
    time = Statistics.median(times)!
    interval = resamples ? Bootstrap.interval(of: times) { Statistics.median($0)! } : time...time
  }

  package var record: PointRecord { rounds[0].record }
  package var samplesPerSecond: Double { Double(record.batchSize) / time }
  /// Seconds of the reduction that the backward pass hides.
  package var hidden: Double? { withoutOverlap.map { max(0, $0.exposed - breakdown.exposed) } }
  /// The rank with the most shards works on one for so long, without waiting for its batch.
  package var shardSeconds: Double { breakdown.computing / Double(record.shardsOnRank) }
}
