import Datasets
import Kernels
import Networks

/// mixup (Zhang et al. 2018): x becomes w x + (1 - w) x', its target w y + (1 - w) y', with w of Beta(alpha, alpha).
///
/// One w a batch, addressed by epoch and position; partners by a permutation of each shard's samples, addressed by its first
/// sample. So what a shard trains on does not depend on who runs it. w is the larger of itself and 1 - w: a permutation and its
/// inverse are equally likely, so batches are distributed as without this, and a mixed image is mostly its own sample, by whose
/// label the training accuracy counts.
final class Mixup {
  private let alpha: Double
  private let seed: Int
  private let images: Tensor
  private let sampleCount: Int
  private let partners: UnsafeMutableBufferPointer<Int>
  private let labels: UnsafeMutableBufferPointer<Int32>

  /// For shards of at most `capacity` samples of shape `input`.
  init(alpha: Double, seed: Int, input: Shape, capacity: Int) {
    (self.alpha, self.seed, sampleCount) = (alpha, seed, input.sampleCount)
    images = Tensor(input.withBatch(capacity))
    partners = .allocate(capacity: capacity)
    labels = .allocate(capacity: capacity)
    partners.initialize(repeating: 0)
    labels.initialize(repeating: 0)
  }

  deinit {
    partners.deallocate()
    labels.deallocate()
  }

  /// The shard's samples mixed; valid until the next call.
  func mix(_ shard: Shard, epoch: Int, position: Int) -> StepInputs {
    let weight = Self.weight(alpha: alpha, seed: seed, epoch: epoch, position: position)
    Self.fillPartners(
      UnsafeMutableBufferPointer(rebasing: partners[..<shard.count]), seed: seed, epoch: epoch,
      first: shard.samples[0])
    for sample in 0..<shard.count {
      let partner = partners[sample]
      labels[sample] = shard.labels[partner]
      Elementwise.combine(
        Float(weight), shard.images.pointer + sample * sampleCount, Float(1 - weight),
        shard.images.pointer + partner * sampleCount, count: sampleCount,
        into: images.pointer + sample * sampleCount)
    }
    return StepInputs(
      images: UnsafePointer(images.pointer), labels: shard.labels.baseAddress!,
      mixture: .init(others: UnsafePointer(labels.baseAddress!), weight: weight))
  }

  /// w of a batch, 0.5...1.
  static func weight(alpha: Double, seed: Int, epoch: Int, position: Int) -> Double {
    var stream = RandomStream(seed: seed, purpose: .mixtureWeight, epoch: epoch, sample: position)
    let weight = stream.beta(alpha)
    return max(weight, 1 - weight)
  }

  /// The permutation of a shard whose first sample is `first`: each sample comes once an epoch, so no two shards share one.
  static func fillPartners(_ partners: UnsafeMutableBufferPointer<Int>, seed: Int, epoch: Int, first: Int) {
    for index in partners.indices { partners[index] = index }
    // Fisher and Yates 1938, in Durstenfeld's form.
    var stream = RandomStream(seed: seed, purpose: .mixturePartner, epoch: epoch, sample: first)
    for last in stride(from: partners.count - 1, to: 0, by: -1) {
      partners.swapAt(last, stream.integer(below: last + 1))
    }
  }
}
