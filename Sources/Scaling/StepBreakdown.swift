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

/// POP's efficiencies (Performance Optimisation and Productivity, https://pop-coe.eu): their product is the share of
/// the ranks' time that is their own work.
package struct ParallelEfficiency: Sendable {
  /// Mean by largest work of a rank, over all steps: less than 1 where the same ranks have more to do each time.
  package let loadBalance: Double
  /// The largest work of a rank by the time that the steps would take on a network that takes none: less than 1 where
  /// other ranks are late in other steps, or wait for their batch.
  package let serialisation: Double
  /// That time by the time they took: what the network costs.
  package let transfer: Double

  package var product: Double { loadBalance * serialisation * transfer }

  /// Nil of no steps.
  package init?(_ steps: [[StepRecord]]) {
    guard let ranks = steps.first?.count, ranks > 0 else { return nil }
    let work = (0..<ranks).map { rank in steps.reduce(0) { $0 + $1[rank].computing } }
    let most = work.max()!
    let ideal = steps.reduce(0) { sum, step in sum + step.map { $0.computing + $0.data }.max()! }
    let taken = steps.reduce(0) { sum, step in sum + step.reduce(0) { $0 + $1.end - $1.begin } / Double(ranks) }
    guard most > 0, ideal > 0, taken > 0 else { return nil }
    loadBalance = work.reduce(0, +) / Double(ranks) / most
    serialisation = most / ideal
    transfer = ideal / taken
  }
}

/// What a number of ranks can come to at best, whatever the machine.
package enum ShardEfficiency {
  /// Shards are not cut: shards / (ranks ceil(shards / ranks)), such as 67 % of 64 shards on 48 ranks.
  package static func quantisation(shards: Int, ranks: Int) -> Double {
    Double(shards) / Double(ranks * ((shards + ranks - 1) / ranks))
  }
}
