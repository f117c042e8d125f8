import Datasets
import Loading
import Testing

@Suite struct BatchScheduleTests {
  @Test func `an order is a permutation that epoch and seed decide; without shuffling it is file order`() {
    func order(_ seed: Int, _ epoch: Int, shuffle: Bool = true) -> [Int] {
      let order = EpochOrder(count: 1000, seed: seed, epoch: epoch, shuffle: shuffle)
      return (0..<order.count).map { order[$0] }
    }
    #expect(order(1, 0).sorted() == Array(0..<1000))
    #expect(order(1, 0) == order(1, 0))
    #expect(order(1, 0) != order(1, 1))
    #expect(order(1, 0) != order(2, 0))
    #expect(order(1, 3, shuffle: false) == Array(0..<1000))
  }

  @Test func `every permutation of three is about equally frequent`() {
    var counts: [[Int]: Int] = [:]
    for epoch in 0..<6000 {
      let order = EpochOrder(count: 3, seed: 0, epoch: epoch, shuffle: true)
      counts[[order[0], order[1], order[2]], default: 0] += 1
    }
    #expect(counts.count == 6)
    // 1000 expected, standard deviation 29: five of them.
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 145 })
  }

  @Test(arguments: [1, 2, 5, 12, 13, 40], [1, 3, 4, 5, 13, 100])
  func `batches and shards cut an epoch without gap or overlap, sizes within one`(
    samples: Int, batchSize: Int
  ) {
    for shards in 1...6 {
      let schedule = BatchSchedule(samples: samples, batchSize: batchSize, shards: shards)
      var position = 0
      for batch in 0..<schedule.stepsPerEpoch {
        #expect(schedule.positions(ofBatch: batch).lowerBound == position)
        let parts = (0..<shards).map { schedule.positions(ofBatch: batch, shard: $0) }
        for part in parts {
          #expect(part.lowerBound == position)
          position = part.upperBound
        }
        let sizes = parts.map(\.count)
        #expect(sizes == sizes.sorted(by: >))
        #expect(sizes[0] - sizes[shards - 1] <= 1)
        #expect(sizes[0] <= schedule.shardCapacity)
        #expect(position == schedule.positions(ofBatch: batch).upperBound)
      }
      #expect(position == samples)
      #expect(schedule.positions(ofBatch: 0, shard: 0).count == schedule.shardCapacity)
    }
  }

  @Test func `50000 samples in batches of 128 are 391 steps, the last of 80`() {
    let schedule = BatchSchedule(samples: 50_000, batchSize: 128, shards: 3)
    #expect(schedule.stepsPerEpoch == 391)
    #expect(schedule.positions(ofBatch: 390).count == 80)
    #expect((0..<3).map { schedule.positions(ofBatch: 0, shard: $0).count } == [43, 43, 42])
  }

  @Test func `ranks run contiguous shards, each at least one, all together each once`() {
    for shards in 1...8 {
      for ranks in 1...shards {
        let runs = (0..<ranks).map { ShardPlan.shards(ofRank: $0, of: ranks, shards: shards) }
        #expect(runs.flatMap { Array($0) } == Array(0..<shards))
        #expect(runs.allSatisfy { !$0.isEmpty })
      }
    }
    #expect((0..<3).map { ShardPlan.shards(ofRank: $0, of: 3, shards: 4) } == [0..<1, 1..<2, 2..<4])
  }
}
