import Scaling

/// Points as a known machine would leave them.
struct MadePoints {
  /// Seconds of a shard, after the sums, of the conversion, and of a backward pass.
  var shard = 0.1, after = 0.002, conversion = 0.001, backward = 0.03
  var cost = ReductionCost(networkLatency: 2e-3, networkByte: 1e-8, hostLatency: 5e-6, hostByte: 2e-10)
  /// By how much a rank's time differs from the mean, as a share: uniform within plus and minus this.
  var spread = 0.0
  /// What cannot be hidden of what the backward pass could hide.
  var lost = 0.0
  var messageBytes = 8 << 20
  var buckets = 4
  var ranksOnHost = 1
  var processorShare = 1.0
  var stretch = 1.0

  func hosts(_ ranks: Int) -> [String] { (0..<ranks).map { "node\($0 / ranksOnHost)" } }

  /// Exposed by a step, without the conversion.
  func exposed(_ ranks: Int, overlap: Bool) -> Double {
    guard ranks > 1 else { return 0 }
    let sum = cost.seconds(ReductionSchedule(hosts: hosts(ranks)), bytes: messageBytes)
    let could = max(0, min(backward, sum * Double(buckets - 1) / Double(buckets)))
    return overlap ? sum - (1 - lost) * could : sum
  }

  func point(_ series: ScalingSeries, ranks: Int, round: Int = 1, steps: Int = 6) -> MeasuredPoint {
    let shards = series == .weak ? ranks : 8
    let most = (shards + ranks - 1) / ranks
    var random = SplitMix(state: UInt64(ranks * 100 + round))
    var records: [StepRecord] = []
    var begin = 0.0
    for step in 0..<2 * steps {
      let overlap = step % 2 == 0
      let times = (0..<ranks).map { rank in
        let own = (rank + 1) * shards / ranks - rank * shards / ranks
        return shard * Double(own) * (1 + (spread > 0 ? Double.random(in: -spread...spread, using: &random) : 0))
      }
      let leave = begin + times.max()! + exposed(ranks, overlap: overlap) + conversion
      for rank in 0..<ranks {
        records.append(
          StepRecord(
            step: step, rank: rank, overlap: overlap, data: 0, student: times[rank] - backward * Double(most),
            refinement: 0, target: 0, backward: backward * Double(most), reduction: leave - begin - times[rank],
            optimizer: after, begin: begin * stretch, arrive: (begin + times[rank]) * stretch, leave: leave * stretch,
            end: (leave + after) * stretch))
      }
      begin = leave + after
    }
    let hosts = hosts(ranks)
    let schedule = ReductionSchedule(hosts: hosts)
    return MeasuredPoint(
      record: PointRecord(
        ScalingPoint(series: series, ranks: ranks, round: round), hosts: hosts, batchSize: 16 * shards, shards: shards,
        model: "made", refinementSteps: 5, parameters: 1 << 20, messageBytes: messageBytes, buckets: buckets,
        stretch: stretch, processorShare: processorShare, warmUp: 0, repeats: steps, program: "icp", configuration: "0"),
      steps: records,
      transfers: ranks == 1
        ? []
        : [1 << 14, 1 << 18, messageBytes].map { bytes in
          TransferRecord(
            kind: .sum, link: .all, hosts: hosts, bytes: bytes,
            seconds: Array(repeating: cost.seconds(schedule, bytes: bytes) * stretch, count: 3))
        })
  }

  func counts(_ series: ScalingSeries, _ ranks: [Int], rounds: Int = 3) -> [CountSummary] {
    ranks.map { count in CountSummary((1...rounds).map { point(series, ranks: count, round: $0) })! }
  }
}

/// Whether two numbers agree to a share of the second.
func isClose(_ value: Double, _ expected: Double, _ tolerance: Double = 1e-9) -> Bool {
  abs(value - expected) <= tolerance * max(abs(expected), 1e-12)
}
