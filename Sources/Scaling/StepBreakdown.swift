import Reporting

/// Where the time of a point's steps goes: means over ranks and steps, in seconds, which add up to the step.
///
/// The last rank to come to the sums makes the others wait: from then on no time is anybody's but the reduction's.
package struct StepBreakdown: Sendable {
  /// Of a whole step, as the mean rank sees it.
  package let step: Double
  /// Waiting for the batch.
  package let data: Double
  /// Before the sums, and after them (the optimiser).
  package let computing, after: Double
  /// From a rank's arrival to the last one's.
  package let imbalance: Double
  /// From the last rank's arrival to the sums.
  package let exposed: Double

  /// Of steps as `MeasuredPoint.steps(overlap:)` gives them; nil of none.
  package init?(_ steps: [[StepRecord]]) {
    guard !steps.isEmpty else { return nil }
    func mean(_ value: ([StepRecord]) -> Double) -> Double { Statistics.mean(steps.map(value))! }
    func overRanks(_ ranks: [StepRecord], _ value: (StepRecord) -> Double) -> Double {
      Statistics.mean(ranks.map(value))!
    }
    step = mean { overRanks($0) { $0.end - $0.begin } }
    data = mean { overRanks($0, \.data) }
    computing = mean { overRanks($0) { $0.arrive - $0.begin - $0.data } }
    after = mean { overRanks($0) { $0.end - $0.leave } }
    imbalance = mean { ranks in Self.last(ranks) - overRanks(ranks, \.arrive) }
    exposed = mean { ranks in overRanks(ranks, \.leave) - Self.last(ranks) }
  }

  /// When the last rank came to the sums.
  static func last(_ ranks: [StepRecord]) -> Double { ranks.map(\.arrive).max()! }
}
