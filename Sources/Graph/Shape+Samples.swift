import Kernels

extension Shape {
  /// Of a batch of samples: maps channels last, everything else as vectors.
  package init(_ sample: SampleShape, samples: Int) {
    if sample.rank == 3 {
      self.init(batch: samples, height: sample[1], width: sample[2], channels: sample[0])
    } else {
      self.init(batch: samples, channels: sample.count)
    }
  }
}
