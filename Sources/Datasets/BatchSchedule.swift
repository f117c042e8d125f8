/// Which positions of an epoch's order make up each batch, and each shard of it: the last batch is kept, ragged.
package struct BatchSchedule: Equatable, Sendable {
  package let samples: Int
  /// Of the global batch.
  package let batchSize: Int
  package let shards: Int

  package init(samples: Int, batchSize: Int, shards: Int) {
    precondition(samples > 0 && batchSize > 0 && shards > 0, "\(samples) / \(batchSize) / \(shards)")
    self.samples = samples
    self.batchSize = batchSize
    self.shards = shards
  }

  package var stepsPerEpoch: Int { (samples + batchSize - 1) / batchSize }

  /// The most samples that a shard of any batch holds.
  package var shardCapacity: Int { (min(batchSize, samples) + shards - 1) / shards }

  /// The sizes of shards that occur, none of them 0: of whole batches and of the last one.
  package var shardSizes: Set<Int> {
    let batches = [0, stepsPerEpoch - 1]
    let sizes = batches.flatMap { batch in (0..<shards).map { positions(ofBatch: batch, shard: $0).count } }
    return Set(sizes).subtracting([0])
  }

  /// The positions of batch k of an epoch.
  package func positions(ofBatch batch: Int) -> Range<Int> {
    precondition(batch >= 0 && batch < stepsPerEpoch, "batch \(batch) of \(stepsPerEpoch)")
    return batch * batchSize..<min((batch + 1) * batchSize, samples)
  }

  /// The positions of one shard of batch k; empty where the batch has fewer samples than shards.
  package func positions(ofBatch batch: Int, shard: Int) -> Range<Int> {
    ShardPlan.part(shard, of: shards, in: positions(ofBatch: batch))
  }
}

/// How contiguous runs are cut, of samples into shards and of shards into ranks.
package enum ShardPlan {
  /// Part number `part` of `range` in `parts` parts whose sizes differ by at most one, larger ones first:
  /// `part(0, of: 3, in: 0..<7) == 0..<3`, then `3..<5` and `5..<7`.
  package static func part(_ part: Int, of parts: Int, in range: Range<Int>) -> Range<Int> {
    precondition(part >= 0 && part < parts, "part \(part) of \(parts)")
    let (size, larger) = range.count.quotientAndRemainder(dividingBy: parts)
    let start = range.lowerBound + part * size + min(part, larger)
    return start..<start + size + (part < larger ? 1 : 0)
  }

  /// The shards that a rank runs, one after the other; at least one, since ranks <= shards:
  /// `shards(ofRank: 0, of: 3, shards: 4) == 0..<1`, then `1..<2` and `2..<4`.
  package static func shards(ofRank rank: Int, of ranks: Int, shards: Int) -> Range<Int> {
    precondition(rank >= 0 && rank < ranks && ranks <= shards, "rank \(rank) of \(ranks), \(shards) shards")
    return rank * shards / ranks..<(rank + 1) * shards / ranks
  }
}
