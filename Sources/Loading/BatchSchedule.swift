import Datasets
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
