import Scaling
import Testing

@Suite struct EfficiencyTests {
  /// Two ranks that begin together: each waits for the later one, and both for sums of 1 s.
  private func step(_ number: Int, _ computing: [Double], data: Double = 0, exposed: Double, after: Double = 0.5)
    -> [StepRecord]
  {
    let leave = data + computing.max()! + exposed
    return computing.enumerated().map { rank, seconds in
      StepRecord(
        step: number, rank: rank, overlap: true, data: data, student: seconds, refinement: 0, target: 0, backward: 0,
        reduction: leave - seconds - data, optimizer: after, begin: 0, arrive: data + seconds, leave: leave,
        end: leave + after)
    }
  }

  @Test func `the parts of a step add up to it, and waiting is the others' while one of them computes`() throws {
    let steps = [step(0, [3, 5], data: 0.25, exposed: 1), step(1, [4, 2], exposed: 2)]
    let parts = try #require(StepBreakdown(steps))
    #expect(parts.data == 0.125 && parts.computing == 3.5 && parts.after == 0.5)
    #expect(parts.imbalance == 1 && parts.exposed == 1.5)
    #expect(isClose(parts.step, parts.data + parts.computing + parts.imbalance + parts.exposed + parts.after))
    #expect(StepBreakdown([]) == nil)
  }

  @Test func `POP's efficiencies tell always late from late in turn, and both from the network`() throws {
    // The same rank is late each time: imbalance.
    let unbalanced = try #require(
      ParallelEfficiency([step(0, [3, 1], exposed: 0, after: 0), step(1, [3, 1], exposed: 0, after: 0)]))
    #expect((unbalanced.loadBalance, unbalanced.serialisation, unbalanced.transfer) == (2.0 / 3, 1, 1))
    // Each in turn: the work is balanced, and still somebody waits.
    let serial = try #require(
      ParallelEfficiency([step(0, [3, 1], exposed: 0, after: 0), step(1, [1, 3], exposed: 0, after: 0)]))
    #expect((serial.loadBalance, serial.serialisation, serial.transfer) == (1, 4.0 / 6, 1))
    // The network takes a fifth.
    let slow = try #require(ParallelEfficiency([step(0, [3.5, 3.5], exposed: 1)]))
    #expect((slow.loadBalance, slow.serialisation, slow.transfer) == (1, 1, 0.8))
    #expect(slow.product == 0.8)
  }

  @Test(arguments: [(64, 48, 2.0 / 3), (64, 64, 1), (64, 32, 1), (4, 3, 2.0 / 3), (1, 1, 1)] as [(Int, Int, Double)])
  func `shards that are not cut leave ranks idle`(shards: Int, ranks: Int, expected: Double) {
    #expect(ShardEfficiency.quantisation(shards: shards, ranks: ranks) == expected)
  }

  @Test func `a series is told by the time of one rank, and small shards by one that is not cut`() {
    var made = MadePoints()
    var points = [1, 2, 4].flatMap { ranks in
      [ScalingSeries.weak, .strong].map { made.point($0, ranks: ranks) }
    }
    // 8 shards of 0.1 s, where the whole batch takes 0.6.
    made.shard = 0.6 / 8
    points.append(made.point(.whole, ranks: 1))
    let measurements = ScalingMeasurements(name: "made", points: points)
    #expect(measurements.weak.map(\.ranks) == [1, 2, 4] && measurements.strong.map(\.ranks) == [1, 2, 4])
    let alone = measurements.weak[0].time
    for count in measurements.weak { #expect(isClose(measurements.parallelEfficiency(count), alone / count.time)) }
    let strong = measurements.strong
    #expect(isClose(measurements.parallelEfficiency(strong[2]), strong[0].time / strong[2].time / 4))
    #expect(isClose(measurements.smallShardEfficiency ?? 0, 0.75))
  }

  @Test func `disturbed rounds are left out where there are others`() throws {
    var made = MadePoints()
    let quiet = made.point(.weak, ranks: 2)
    made.processorShare = 0.9
    made.shard = 1
    let disturbed = made.point(.weak, ranks: 2, round: 2)
    let both = try #require(CountSummary([disturbed, quiet]))
    #expect(both.rounds.count == 1 && both.disturbed == 1 && both.measured == 2 && both.time < 0.2)
    let only = try #require(CountSummary([disturbed]))
    #expect(only.rounds.count == 1 && only.disturbed == 1 && only.time > 1)
  }

  @Test func `what overlap hides is what the same step without it exposes more`() throws {
    let made = MadePoints()
    let count = try #require(made.counts(.weak, [4]).first)
    let hidden = made.exposed(4, overlap: false) - made.exposed(4, overlap: true)
    #expect(hidden > 0.02)
    #expect(isClose(try #require(count.hidden), hidden, 1e-6))
    #expect(MadePoints().counts(.weak, [1])[0].hidden == nil)
  }

  @Test func `emulated times are those of what is emulated`() throws {
    var made = MadePoints()
    let plain = try #require(CountSummary([made.point(.weak, ranks: 2)]))
    made.stretch = 8
    let stretched = try #require(CountSummary([made.point(.weak, ranks: 2)]))
    #expect(isClose(stretched.time, plain.time, 1e-6))
    #expect(isClose(stretched.breakdown.exposed, plain.breakdown.exposed, 1e-6))
  }
}
