import Datasets
import Kernels
import Pictures

/// One rank's part of a global batch: the shards it runs.
package struct Batch: Sendable {
  /// From 0.
  package let epoch: Int
  /// The batch's number in its epoch, from 0.
  package let position: Int
  /// Samples of the global batch, over all ranks.
  package let count: Int
  package let shards: [Shard]

  package init(epoch: Int, position: Int, count: Int, shards: [Shard]) {
    self.epoch = epoch
    self.position = position
    self.count = count
    self.shards = shards
  }

  /// Samples of these shards.
  package var ownCount: Int { shards.reduce(0) { $0 + $1.count } }
}
