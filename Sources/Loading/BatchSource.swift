import Datasets
import Foundation
import Kernels
import Pictures

/// What decides the batches: the same source gives the same batches at any rank, any time and from any start.
package struct BatchSource: Sendable {
  package let dataset: Dataset
  package let transform: SampleTransform
  package let schedule: BatchSchedule
  package let seed: Int
  package let shuffle: Bool
  /// How many threads make a batch, the loader's own among them. No number depends on it.
  package let threads: Int
  /// Of the labels, in the task loss.
  package let classWeights: [Double]?

  package init(
    dataset: Dataset, normalization: Normalization, augmentations: [Augmentation], seed: Int, shuffle: Bool,
    batchSize: Int, shards: Int, threads: Int = 1, classWeights: [Double]? = nil
  ) {
    self.classWeights = classWeights
    self.threads = threads
    self.dataset = dataset
    self.seed = seed
    self.shuffle = shuffle
    transform = SampleTransform(
      shape: dataset.shape, normalization: normalization, augmentations: augmentations, seed: seed)
    schedule = BatchSchedule(samples: dataset.count, batchSize: batchSize, shards: shards)
  }

  /// The mean weight of the labels at `positions`, those of a whole batch; 1 without weights.
  func meanWeight(_ positions: Range<Int>, order: EpochOrder) -> Double {
    guard let classWeights else { return 1 }
    return positions.reduce(0) { $0 + classWeights[dataset.label(order[$1])] } / Double(positions.count)
  }

  func order(epoch: Int) -> EpochOrder {
    EpochOrder(count: dataset.count, seed: seed, epoch: epoch, shuffle: shuffle)
  }
}
