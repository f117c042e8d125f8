import Reporting
import Runtime

/// The model of a series, tried on its two largest counts, and what it says of more ranks: nothing where it was more
/// than 10 % off.
package struct ScalingForecast: Sendable {
  /// Another network between hosts than the one that was measured.
  package struct Link: Sendable {
    package let name: String
    /// Seconds an exchange, and a byte.
    package let latency, byte: Double

    package init(name: String, latency: Double, byte: Double) {
      self.name = name
      self.latency = latency
      self.byte = byte
    }
  }

  package struct Trial: Sendable {
    package let ranks: Int
    package let measured, predicted: Double
    package var error: Double { abs(predicted - measured) / measured }
  }

  package struct Prediction: Sendable {
    package let ranks: Int
    package let seconds: Double
    /// 95 % over resampled rounds and steps, wider by the held-out error on both sides.
    package let interval: ClosedRange<Double>
    /// By the time of one rank, which the weak series keeps and the strong one divides.
    package let efficiency: Double
    package let efficiencyInterval: ClosedRange<Double>
  }

  package let series: ScalingSeries
  package let fitted: [Int]
  package let heldOut: [Trial]
  /// Of all counts.
  package let model: ScalingModel
  private let counts: [CountSummary]

  package static let largestError = 0.1

  /// Nil where a series has fewer than three counts: nothing would be left to try the model on.
  package init?(_ counts: [CountSummary]) {
    let counts = counts.sorted { $0.ranks < $1.ranks }
    let held = min(2, counts.count - 2)
    guard held > 0, let small = ScalingModel(fitting: Array(counts.dropLast(held))),
      let model = ScalingModel(fitting: counts)
    else { return nil }
    self.counts = counts
    self.model = model
    series = counts[0].series
    fitted = counts.dropLast(held).map(\.ranks)
    heldOut = counts.suffix(held).compactMap { count in
      small.seconds(
        ranks: count.ranks, ranksOnHost: count.record.ranksOnHost, shardsOnRank: count.record.shardsOnRank,
        ReductionSchedule(hosts: count.record.hosts)
      ).map { Trial(ranks: count.ranks, measured: count.time, predicted: $0) }
    }
  }

  /// The largest; nil where what was fitted says nothing of the counts held out, as where those alone cross hosts.
  package var heldOutError: Double? { heldOut.map(\.error).max() }

  /// Why nothing is said of more ranks; nil where something is.
  package var refusal: String? {
    guard let error = heldOutError else {
      return "the counts held out use links that no smaller count used: measure more of them"
    }
    guard error <= Self.largestError else {
      return "the model is \(percent(error)) off on the counts held out, more than \(percent(Self.largestError))"
    }
    return nil
  }

  /// Of 2, 4, 8, ... times the largest count, up to `most`.
  /// - Parameters:
  ///   - link: in the place of what was measured; without it the network must have been.
  ///   - ranksOnHost: of each host; without it as the largest count has it.
  package func predictions(upTo most: Int, link: Link? = nil, ranksOnHost: Int? = nil) -> [Prediction] {
    guard let largest = counts.last, refusal == nil else { return [] }
    let onHost = ranksOnHost ?? largest.record.ranksOnHost
    let first = link == nil ? largest.ranks * 2 : 1
    let wanted = sequence(first: first) { $0 * 2 }.prefix { $0 <= most }.filter { ranks in
      series == .weak || ranks <= largest.record.shards
    }
    let models = resampled
    return wanted.compactMap { ranks in
      let schedule = ReductionSchedule(hosts: (0..<ranks).map { $0 / onHost })
      let shards = series == .weak ? largest.record.shardsOnRank : (largest.record.shards + ranks - 1) / ranks
      let alone = series == .weak ? largest.record.shardsOnRank : largest.record.shards
      func both(_ model: ScalingModel) -> (seconds: Double, efficiency: Double)? {
        var model = model
        if let link { model.replaceNetwork(latency: link.latency, byte: link.byte) }
        guard
          let seconds = model.seconds(
            ranks: ranks, ranksOnHost: min(onHost, ranks), shardsOnRank: shards, schedule),
          let one = model.seconds(ranks: 1, ranksOnHost: onHost, shardsOnRank: alone, ReductionSchedule(hosts: [0]))
        else { return nil }
        return (seconds, series == .weak ? one / seconds : one / seconds / Double(ranks))
      }
      guard let best = both(model) else { return nil }
      let drawn = models.compactMap(both)
      let error = heldOutError ?? 0
      func wider(_ values: [Double]) -> ClosedRange<Double> {
        let middle = values.isEmpty ? 0...0 : Bootstrap.middle(values)
        return middle.lowerBound / (1 + error)...middle.upperBound * (1 + error)
      }
      return Prediction(
        ranks: ranks, seconds: best.seconds, interval: wider(drawn.map(\.seconds)), efficiency: best.efficiency,
        efficiencyInterval: wider(drawn.map(\.efficiency)))
    }
  }

  /// Models of rounds, and steps of them, drawn with replacement.
  private var resampled: [ScalingModel] {
    var random = SplitMix(state: 2)
    return (0..<Bootstrap.draws / 2).compactMap { _ in
      ScalingModel(
        fitting: counts.compactMap { count in
          CountSummary(
            count.rounds.map { _ in count.rounds.randomElement(using: &random)!.resampled(using: &random) },
            resamples: false)
        })
    }
  }
}

extension MeasuredPoint {
  /// As many steps, drawn with replacement.
  func resampled(using random: inout SplitMix) -> MeasuredPoint {
    var drawn: [StepRecord] = []
    for overlap in [true, false] {
      let steps = steps(overlap: overlap)
      for number in steps.indices {
        drawn += steps.randomElement(using: &random)!.map { record in
          var record = record
          record.step = number * 2 + (overlap ? 0 : 1)
          return record
        }
      }
    }
    var record = record
    // `CountSummary` divides by it, and these are.
    record.stretch = 1
    return MeasuredPoint(record: record, steps: drawn, transfers: transfers)
  }
}
