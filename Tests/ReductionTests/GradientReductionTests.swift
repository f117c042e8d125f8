import Configuration
import Graph
import Kernels
import Loading
import MPI
import Method
import Models
import Reduction
import Testing

/// One rank's sums; those over ranks are the same integers, added (`FixedPointTests`, and the tests that start ranks).
@Suite struct GradientReductionTests {
  private let layout = ParameterLayout(
    try! Network.make(.resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8), classes: 3))
  private let scalars = StepScalars(names: [StepScalars.taskLoss, "other"])

  private func reduction(
    _ kind: GradientReductionKind = .exact, signals: Int = 0, bucketSize: Int = GradientReduction.usualBucketSize
  ) -> GradientReduction {
    GradientReduction(
      layout: layout, scalars: scalars, signals: signals, kind: kind, communicator: .alone, bucketSize: bucketSize)
  }

  /// A shard's result with values of a normal distribution.
  private func result(_ seed: Int) -> ShardResult {
    var stream = RandomStream(seed: seed, purpose: .test)
    let gradients = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    for index in gradients.values.indices { gradients.values[index] = Float(stream.normal()) }
    for index in statistics.values.indices { statistics.values[index] = Float(stream.normal()) }
    let scalars = StepScalars(like: scalars)
    for index in scalars.means.indices { scalars.set(index, stream.normal()) }
    scalars.correct = seed + 1
    return ShardResult(gradients: gradients, statistics: statistics, scalars: scalars)
  }

  private func sum(
    _ results: [ShardResult], shares: [Double], with reduction: GradientReduction
  ) throws -> GradientReduction.Sum {
    try reduction.begin(step: 1, Batch(epoch: 0, position: 0, count: 8, shards: []))
    for (result, share) in zip(results, shares) { reduction.add(result, share: share) }
    return try reduction.finish()
  }

  private let shares = [0.5, 0.375, 0.125]

  @Test(arguments: GradientReductionKind.allCases)
  func `gradients, statistics and means are the shards', weighted by their shares`(kind: GradientReductionKind) throws {
    let results = (0..<3).map(result)
    let sum = try sum(results, shares: shares, with: reduction(kind))
    func expected(_ index: Int, _ values: (ShardResult) -> Tensor) -> Double {
      zip(results, shares).reduce(0) { $0 + Double(values($1.0).values[index]) * $1.1 }
    }
    // Three roundings to units of 2^-44, half a unit each, and one to a float; float32 rounds at every sum of values
    // below 8.
    let exact = 1.5 * 0x1p-44
    let rounded = kind == .exact ? exact : 3 * Double(Float(8).ulp)
    for index in sum.gradients.values.indices {
      let value = expected(index, \.gradients)
      #expect(abs(Double(sum.gradients.values[index]) - value) <= rounded + Double(Float(value).ulp) / 2)
    }
    for index in sum.statistics.values.indices {
      let value = expected(index, \.statistics)
      #expect(abs(Double(sum.statistics.values[index]) - value) <= exact + Double(Float(value).ulp) / 2)
    }
    for index in scalars.means.indices {
      let value = zip(results, shares).reduce(0) { $0 + $1.0.scalars.means[index] * $1.1 }
      #expect(abs(sum.scalars.means[index] - value) <= 1.5 * 0x1p-44)
    }
    #expect(sum.scalars.names == scalars.names && sum.scalars.correct == 1 + 2 + 3)
    #expect(sum.refused == 0 && sum.firstRefused == nil)
  }

  @Test func `the sum has the same bits in any order of the shards, in buckets of any size`() throws {
    let results = (0..<3).map(result)
    let first = try sum(results, shares: shares, with: reduction())
    for (order, bucketSize) in [([2, 0, 1], 1 << 18), ([0, 1, 2], 1000), ([1, 2, 0], 7)] {
      let other = try sum(
        order.map { results[$0] }, shares: order.map { shares[$0] }, with: reduction(bucketSize: bucketSize))
      #expect(bits(other.gradients) == bits(first.gradients) && bits(other.statistics) == bits(first.statistics))
      #expect(other.scalars.means == first.scalars.means)
    }
  }

  private func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

  @Test(arguments: GradientReductionKind.allCases)
  func `what is frozen is in no message, and changes no other sum`(kind: GradientReductionKind) throws {
    var network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8), classes: 3)
    network.freeze = Freeze(["conv1", "bn1", "layer1", "layer3.0.conv1", "fc.bias"], fixesStatistics: true)
    let frozen = ParameterLayout(network)
    let results = (0..<3).map(result)
    for bucketSize in [GradientReduction.usualBucketSize, 1000] {
      let whole = reduction(kind, bucketSize: bucketSize)
      let part = GradientReduction(
        layout: frozen, scalars: scalars, signals: 0, kind: kind, communicator: .alone, bucketSize: bucketSize)
      let saved = layout.parameterCount - frozen.trained.count
      // 16 * 3 * 9 + 2 * 16 * 9 * 16 + 32 * 9 * 64 filters, 3 normalisations of 16, 3 biases
      #expect(saved == 432 + 2 * 2304 + 18432 + 3 * 2 * 16 + 3)
      #expect(layout.statisticCount - frozen.moving.count == 3 * 2 * 16)
      // A word a bucket comes besides.
      let buckets = kind == .exact ? saved / bucketSize : 0
      let fewer = whole.messageBytes - part.messageBytes - saved * (kind == .exact ? 8 : 4) - 3 * 2 * 16 * 8
      #expect((8 * buckets...8 * (buckets + 1)).contains(fewer), "\(fewer)")
      let (all, sum) = (
        try sum(results, shares: shares, with: whole), try sum(results, shares: shares, with: part)
      )
      for entry in frozen.parameters {
        let expected = entry.isFrozen ? entry.range.map { _ in 0 } : Array(all.gradients.values[entry.range])
        #expect(Array(sum.gradients.values[entry.range]) == expected, "\(entry.name)")
      }
      for entry in frozen.statistics where !entry.isFrozen {
        #expect(Array(sum.statistics.values[entry.range]) == Array(all.statistics.values[entry.range]))
      }
      #expect(sum.scalars.means == all.scalars.means)
    }
  }

  @Test func `a step knows nothing of the one before`() throws {
    let reduction = reduction(signals: 1)
    let broken = result(0)
    broken.gradients.values[0] = .nan
    try reduction.begin(step: 1, Batch(epoch: 0, position: 0, count: 8, shards: []))
    reduction[signal: 0] = 9
    reduction.add(broken, share: 1)
    #expect(try reduction.finish().refused == 1 && reduction[signal: 0] == 9)
    let again = try sum([result(1)], shares: [1], with: reduction)
    #expect(again.refused == 0 && again.firstRefused == nil && reduction[signal: 0] == 0)
    let fresh = try sum([result(1)], shares: [1], with: self.reduction())
    #expect(bits(again.gradients) == bits(fresh.gradients) && again.scalars.means == fresh.scalars.means)
  }

  @Test func `signals come back beside the sums, each in its place`() throws {
    let reduction = reduction(signals: 3)
    try reduction.begin(step: 1, Batch(epoch: 0, position: 0, count: 8, shards: []))
    reduction.add(result(0), share: 1)
    for index in 0..<3 { reduction[signal: index] = Int64(index) - 1 }
    let sum = try reduction.finish()
    #expect((0..<3).map { reduction[signal: $0] } == [-1, 0, 1])
    #expect(sum.scalars.correct == 1)
  }

  @Test(arguments: [Float.nan, .infinity, -0x1p19])
  func `a value that is not finite or too large refuses the step, and is named`(bad: Float) throws {
    let gradient = result(0)
    gradient.gradients.values[layout.start(of: "layer2.0.conv2.weight") + 3] = bad
    let other = result(1)
    other.gradients.values[0] = bad
    let refused = try sum([gradient, other], shares: [0.5, 0.5], with: reduction())
    #expect(refused.refused == 2 && refused.firstRefused == "the gradient of layer2.0.conv2.weight")
    #expect(refused.scalars.means.allSatisfy { $0.isNaN })

    let statistic = result(0)
    statistic.statistics.values[5] = bad
    statistic.scalars.set(1, Double(bad))
    let counted = try sum([statistic], shares: [1], with: reduction())
    #expect(counted.refused == 2 && counted.firstRefused == "a loss or a running statistic")
  }

  @Test func `float32 gradients are refused where they are not finite`() throws {
    let broken = result(0)
    broken.gradients.values[layout.start(of: "fc.bias")] = .infinity
    let sum = try sum([broken], shares: [1], with: reduction(.float32))
    #expect(sum.refused == 1 && sum.firstRefused == "the gradient of fc.bias")
  }
}
