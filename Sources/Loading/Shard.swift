import Datasets
import Files
import Kernels
import Pictures

/// One shard's part of a batch. The loader owns and reuses its memory: it is valid until the loader's next batch.
package final class Shard: @unchecked Sendable {
  /// Its number in 0..<shards of the configuration.
  package let index: Int
  /// NHWC, of the largest shard's size; the first `count` images are this batch's.
  package let images: Tensor
  /// Samples in this shard; 0 is legal.
  package private(set) var count = 0
  /// count / the batch's count.
  package private(set) var share = 0.0
  /// Of the labels of the whole batch, the mean of their classes' weights (`training.class_weights`).
  package private(set) var meanWeight = 1.0
  private let labelStorage: UnsafeMutablePointer<Int32>
  private let sampleStorage: UnsafeMutablePointer<Int>

  init(index: Int, capacity: Int, shape: ImageShape) {
    self.index = index
    images = Tensor(
      Shape(batch: capacity, height: shape.height, width: shape.width, channels: shape.channels))
    labelStorage = .allocate(capacity: capacity)
    labelStorage.initialize(repeating: 0, count: capacity)
    sampleStorage = .allocate(capacity: capacity)
    sampleStorage.initialize(repeating: 0, count: capacity)
  }

  /// A whole batch of its own: `images` as (count, height, width, channels); sample i has the address i.
  package convenience init(images: [Float], shape: ImageShape, labels: [Int32], meanWeight: Double = 1) {
    self.init(index: 0, capacity: labels.count, shape: shape)
    count = labels.count
    share = 1
    self.meanWeight = meanWeight
    _ = self.images.values.update(fromContentsOf: images)
    for (index, label) in labels.enumerated() { (labelStorage[index], sampleStorage[index]) = (label, index) }
  }

  /// Bytes of one.
  static func bytes(capacity: Int, shape: ImageShape) -> Double {
    Double(capacity)
      * Double(shape.count * MemoryLayout<Float>.size + MemoryLayout<Int32>.size + MemoryLayout<Int>.size)
  }

  deinit {
    labelStorage.deallocate()
    sampleStorage.deallocate()
  }

  /// `count` labels.
  package var labels: UnsafeBufferPointer<Int32> { .init(start: labelStorage, count: count) }

  /// `count` indices of the data set.
  package var samples: UnsafeBufferPointer<Int> { .init(start: sampleStorage, count: count) }

  /// Takes the samples at `positions` of the order; their images come after.
  func fill(
    _ positions: Range<Int>, ofBatch batchCount: Int, meanWeight: Double, order: EpochOrder, from dataset: Dataset
  ) {
    precondition(positions.count <= images.shape.batch, "\(positions.count) samples into \(images.shape)")
    count = positions.count
    share = Double(count) / Double(batchCount)
    self.meanWeight = meanWeight
    for (at, position) in positions.enumerated() {
      let sample = order[position]
      sampleStorage[at] = sample
      labelStorage[at] = Int32(dataset.label(sample))
    }
  }

  /// Writes image `at`, as `epoch` sees it. Images are independent of each other.
  func write(_ at: Int, epoch: Int, from dataset: Dataset, by transform: SampleTransform) throws(FileError) {
    try transform.write(
      sampleStorage[at], of: dataset, epoch: epoch, into: images.pointer + at * transform.shape.count)
  }
}
