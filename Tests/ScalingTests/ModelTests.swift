import Scaling
import Testing

@Suite struct ModelTests {
  @Test func `hosts send as much wherever their ranks lie, and however many they are`() {
    for hosts in [2, 3, 4, 12, 64] {
      let one = ReductionSchedule(hosts: Array(0..<hosts))
      #expect(isClose(one.networkShare, 1.5 * Double(hosts - 1) / Double(hosts)) && one.networkRounds == 2)
      #expect(one.hostRounds == 0 && one.hostShare == 0)
      for ranks in [2, 3, 12] {
        let slot = ReductionSchedule(hosts: (0..<hosts * ranks).map { $0 / ranks })
        #expect(slot == ReductionSchedule(hosts: (0..<hosts * ranks).map { $0 % hosts }))
        #expect(slot.networkShare == one.networkShare && slot.networkRounds == one.networkRounds)
        #expect(isClose(slot.hostShare, 1.5 - 1 / Double(ranks)))
      }
    }
  }

  @Test func `many hosts halve and double what they send`() {
    let power = ReductionSchedule(hosts: Array(0..<128))
    #expect(power.networkRounds == 14 && isClose(power.networkShare, 2 * 127 / 128))
    let other = ReductionSchedule(hosts: Array(0..<200))
    #expect(other.networkRounds == 16 && isClose(other.networkShare, 2 + 2 * 127 / 128))
    #expect(ReductionSchedule(hosts: [0]) == ReductionSchedule(hosts: [Int]()))
  }

  @Test func `latencies and bandwidths are found again from sums of known ones`() throws {
    let cost = ReductionCost(networkLatency: 3e-3, networkByte: 4e-7, hostLatency: 2e-5, hostByte: 5e-10)
    let samples = [2, 4, 8].flatMap { hosts in
      [1, 4].flatMap { onHost in
        [1 << 12, 1 << 16, 1 << 21].map { bytes in
          let schedule = ReductionSchedule(hosts: (0..<hosts * onHost).map { $0 / onHost })
          return ReductionCost.Sample(schedule: schedule, bytes: bytes, seconds: cost.seconds(schedule, bytes: bytes))
        }
      }
    }
    let found = try #require(ReductionCost(fitting: samples))
    #expect(
      isClose(found.networkLatency, cost.networkLatency, 1e-6) && isClose(found.networkByte, cost.networkByte, 1e-6))
    // Beside links that are a thousand times slower, to the digits that are left of them.
    #expect(isClose(found.hostLatency, cost.hostLatency, 1e-3) && isClose(found.hostByte, cost.hostByte, 1e-3))
    #expect(ReductionCost(fitting: []) == nil)
  }

  @Test func `no latency comes out below 0`() {
    // x + y = 1, x = 2: without a bound y would be -1.
    let bounded = LeastSquares.nonNegative([[1, 1], [1, 0]], [1, 2])
    #expect(isClose(bounded[0], 1.5) && bounded[1] == 0)
    #expect(LeastSquares.nonNegative([[1], [1]], [-1, -2]) == [0])
  }

  @Test func `the last of many is as late as theory has it`() {
    // Of p uniform draws p / (p + 1); of p exponential ones the harmonic number.
    let count = 4000
    let uniform = LatestDraw((0..<count).map { (Double($0) + 0.5) / Double(count) })
    for ranks in [1, 2, 8] {
      #expect(isClose(uniform.expectedMaximum(of: ranks), Double(ranks) / Double(ranks + 1), 0.02))
    }
    let exponential = LatestDraw((0..<count).map { -logarithm(1 - (Double($0) + 0.5) / Double(count)) })
    for ranks in [1, 16, 256, 4096] {
      let harmonic = (1...ranks).reduce(0) { $0 + 1 / Double($1) }
      // Beyond what 4,000 draws show, by the tail.
      #expect(isClose(exponential.expectedMaximum(of: ranks), harmonic, 0.03), "\(ranks)")
    }
    #expect(LatestDraw([2]).expectedMaximum(of: 1000) == 2)
  }

  @Test(arguments: [1, 4]) func `a known machine is found from few ranks, and foretold at many`(onHost: Int) throws {
    var made = MadePoints()
    made.ranksOnHost = onHost
    let counts = made.counts(.weak, [1, 2, 4, 8, 16, 32].map { $0 * onHost } + (onHost > 1 ? [1, 2] : []))
    let forecast = try #require(ScalingForecast(counts))
    // What is fitted has the model's form, and no noise.
    #expect(try #require(forecast.heldOutError) < 0.005)
    #expect(forecast.refusal == nil && forecast.heldOut.map(\.ranks) == [16 * onHost, 32 * onHost])
    let predictions = forecast.predictions(upTo: 4096)
    #expect(predictions.map(\.ranks).last == 4096)
    for prediction in predictions {
      let expected = made.shard + made.after + made.conversion + made.exposed(prediction.ranks, overlap: true)
      #expect(isClose(prediction.seconds, expected, 0.005), "\(prediction.ranks)")
      // Nothing varies: the interval is the value, to rounding.
      #expect(
        isClose(prediction.interval.lowerBound, expected, 0.01)
          && isClose(prediction.interval.upperBound, expected, 0.01))
    }
  }

  @Test func `the strong series counts shards, and is asked no more ranks than it has`() throws {
    let made = MadePoints()
    let forecast = try #require(ScalingForecast(made.counts(.strong, [1, 2, 4])))
    #expect(try #require(forecast.heldOutError) < 0.005)
    #expect(forecast.predictions(upTo: 4096).map(\.ranks) == [8])
    #expect(ScalingForecast(made.counts(.strong, [1, 2])) == nil)
  }

  @Test func `stragglers are in the expected maximum`() throws {
    var made = MadePoints()
    made.spread = 0.1
    let forecast = try #require(ScalingForecast(made.counts(.weak, [1, 2, 4, 8, 16], rounds: 5)))
    #expect(try #require(forecast.heldOutError) < 0.03)
    // Uniform draws: the last of 4,096 comes at most a tenth late. The exponential tail says more, and errs that way.
    let last = try #require(forecast.predictions(upTo: 4096).last)
    let least = made.shard + made.exposed(4096, overlap: true)
    #expect(last.seconds > least + 0.09 * made.shard && last.seconds < least + 0.3 * made.shard)
  }

  @Test func `nothing is foretold by a model that was wrong`() throws {
    let made = MadePoints()
    var counts = made.counts(.weak, [1, 2, 4, 8])
    // A switch that gives way at 8 ranks.
    var slow = made
    slow.cost.networkByte *= 4
    counts[3] = slow.counts(.weak, [8])[0]
    let forecast = try #require(ScalingForecast(counts))
    #expect(try #require(forecast.heldOutError) > 0.1)
    #expect(forecast.refusal?.contains("more than 10.00 %") == true)
    #expect(forecast.predictions(upTo: 4096).isEmpty)
    // Nor where only those held out cross hosts.
    var shared = made
    shared.ranksOnHost = 2
    let blind = try #require(ScalingForecast(shared.counts(.weak, [1, 2, 4, 8])))
    #expect(blind.refusal != nil && blind.predictions(upTo: 16).isEmpty)
  }

  @Test func `another network takes the place of the one that was measured`() throws {
    let made = MadePoints()
    let forecast = try #require(ScalingForecast(made.counts(.weak, [1, 2, 4, 8])))
    let link = ScalingForecast.Link(name: "10gbit", latency: 30e-6, byte: 8 / 10e9)
    var fast = made
    fast.cost.networkLatency = link.latency
    fast.cost.networkByte = link.byte
    for prediction in forecast.predictions(upTo: 256, link: link) where prediction.ranks > 1 {
      let expected = made.shard + made.after + made.conversion + fast.exposed(prediction.ranks, overlap: true)
      #expect(isClose(prediction.seconds, expected, 0.01))
    }
  }
}

private func logarithm(_ value: Double) -> Double {
  // By its series about a power of two: the tests need no Foundation.
  let (exponent, significand) = (Double(value.exponent), value.significand)
  let z = (significand - 1) / (significand + 1)
  var (sum, power) = (0.0, z)
  for term in stride(from: 1.0, to: 60, by: 2) {
    sum += power / term
    power *= z * z
  }
  return 2 * sum + exponent * 0.693_147_180_559_945_3
}
