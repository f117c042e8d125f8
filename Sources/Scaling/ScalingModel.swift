import Reporting

/// What a step takes on any number of ranks:
///
///     T = shards E[max of p draws] + after + exposed sum
///
/// A draw is what a shard takes a rank; the maximum is over the ranks (`LatestDraw`). The exposed sum is
/// `ReductionCost` for the message and the ranks' places, less what the backward pass hides of it.
package struct ScalingModel: Sendable {
  package private(set) var cost: ReductionCost?
  /// Of as many ranks a host as each was measured with: seconds of a shard, the mean over the ranks.
  package let shardSeconds: [Int: Double]
  /// How far a rank's time is from the mean of its step, as a share of it.
  package let deviation: LatestDraw
  /// After the sums, and the part of the reduction that a single rank has too: from and into fixed point.
  package let after, conversion: Double
  /// The backward pass of a shard; the share of it, of what it could hide, that hides something.
  package let backward, hiding: Double
  private let messageBytes, buckets: Int

  /// Nil of no counts.
  package init?(fitting counts: [CountSummary]) {
    guard let first = counts.first else { return nil }
    messageBytes = first.record.messageBytes
    buckets = first.record.buckets
    let grouped = Dictionary(grouping: counts) { $0.record.ranksOnHost }
    shardSeconds = grouped.mapValues { counts in
      Statistics.mean(counts.map { ($0.breakdown.computing + $0.breakdown.data) / Double($0.record.shardsOnRank) })!
    }
    let several = counts.filter { $0.ranks > 1 }
    deviation = LatestDraw((several.isEmpty ? counts : several).flatMap(Self.deviations))
    after = Statistics.mean(counts.map(\.breakdown.after))!
    conversion = counts.first { $0.ranks == 1 }?.breakdown.exposed ?? 0
    let conversion = conversion
    cost = ReductionCost(fitting: several.flatMap { Self.samples($0, conversion: conversion) })
    backward = Statistics.median(
      counts.flatMap { count in
        count.rounds.flatMap { $0.steps.map { $0.backward / Double(count.record.shardsOnRank) } }
      })!
    var (hidden, could) = (0.0, 0.0)
    for count in several {
      guard let plain = count.withoutOverlap else { continue }
      hidden += max(0, plain.exposed - count.breakdown.exposed)
      could += Self.hideable(plain.exposed - conversion, buckets, backward)
    }
    hiding = could > 0 ? min(1, hidden / could) : 0
  }

  /// In the place of what was measured between hosts.
  package mutating func replaceNetwork(latency: Double, byte: Double) {
    var cost = cost ?? ReductionCost(networkLatency: 0, networkByte: 0, hostLatency: 0, hostByte: 0, knowsHost: false)
    cost.networkLatency = latency
    cost.networkByte = byte
    cost.knowsNetwork = true
    self.cost = cost
  }

  /// Seconds of a step; nil where nothing that was fitted says what such links take.
  package func seconds(ranks: Int, ranksOnHost: Int, shardsOnRank: Int, _ schedule: ReductionSchedule) -> Double? {
    let latest = 1 + deviation.expectedMaximum(of: ranks) - deviation.expectedMaximum(of: 1)
    let computing = Double(shardsOnRank) * shard(ranksOnHost: ranksOnHost) * latest
    guard ranks > 1 else { return computing + after + conversion }
    guard let cost, cost.covers(schedule) else { return nil }
    let sum = cost.seconds(schedule, bytes: messageBytes)
    return computing + after + conversion + sum - hiding * Self.hideable(sum, buckets, backward)
  }

  /// Of the nearest number of ranks a host that was measured.
  private func shard(ranksOnHost: Int) -> Double {
    shardSeconds.min { (abs($0.key - ranksOnHost), $0.key) < (abs($1.key - ranksOnHost), $1.key) }!.value
  }

  /// What is in the last bucket cannot travel before the pass has ended.
  private static func hideable(_ sum: Double, _ buckets: Int, _ backward: Double) -> Double {
    max(0, min(backward, sum * Double(buckets - 1) / Double(buckets)))
  }

  /// Sums alone, of a count's message without overlap and of the sizes that were timed beside it.
  private static func samples(_ count: CountSummary, conversion: Double) -> [ReductionCost.Sample] {
    let schedule = ReductionSchedule(hosts: count.record.hosts)
    let alone = count.rounds.flatMap(\.transfers).filter { $0.kind == .sum && $0.link == .all }
    let sizes = Dictionary(grouping: alone, by: \.bytes).mapValues { Statistics.median($0.flatMap(\.seconds))! }
    var samples = sizes.sorted { $0.key < $1.key }.map {
      ReductionCost.Sample(schedule: schedule, bytes: $0.key, seconds: $0.value)
    }
    if let exposed = count.withoutOverlap?.exposed, exposed > conversion {
      // What is predicted: it counts as much as all sizes together.
      let step = ReductionCost.Sample(
        schedule: schedule, bytes: count.record.messageBytes, seconds: exposed - conversion)
      samples += Array(repeating: step, count: max(1, samples.count))
    }
    return samples
  }

  /// Of the ranks with the most shards. Ranks of one step share what makes the whole step slow: so each is compared
  /// with the mean of its step, whose own share in it the root takes out.
  private static func deviations(_ count: CountSummary) -> [Double] {
    let most = count.record.shardsOnRank
    let ranks = (0..<count.ranks).filter { rank in
      (rank + 1) * count.record.shards / count.ranks - rank * count.record.shards / count.ranks == most
    }
    let steps = count.rounds.flatMap { $0.steps(overlap: true) }
    if ranks.count < 2 {
      let times = steps.map { $0[ranks[0]].arrive - $0[ranks[0]].begin }
      let mean = Statistics.mean(times)!
      return times.map { $0 / mean - 1 }
    }
    let root = (Double(ranks.count) / Double(ranks.count - 1)).squareRoot()
    return steps.flatMap { step in
      let times = ranks.map { step[$0].arrive - step[$0].begin }
      let mean = Statistics.mean(times)!
      return times.map { ($0 / mean - 1) * root }
    }
  }
}
