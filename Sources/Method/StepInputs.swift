import Datasets
import Kernels
import Loading

/// What a student pass trains on.
package struct StepInputs {
  /// (samples, height, width, channels)
  package var images: UnsafePointer<Float>
  package var labels: UnsafePointer<Int32>
  /// Where images are mixed, their other labels.
  package var mixture: CrossEntropy.Mixture?
  /// Where images are mixed, the places in the shard of those they are mixed with.
  package var partners: UnsafePointer<Int>?
  /// Of the batch's labels: what the weighted losses of its samples are divided by. Mixing moves labels about a shard,
  /// which changes it not.
  package let meanWeight: Double

  init(_ shard: Shard) {
    images = UnsafePointer(shard.images.pointer)
    labels = shard.labels.baseAddress!
    meanWeight = shard.meanWeight
  }
}
