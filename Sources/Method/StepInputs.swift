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

  init(_ shard: Shard) {
    images = UnsafePointer(shard.images.pointer)
    labels = shard.labels.baseAddress!
  }
}
