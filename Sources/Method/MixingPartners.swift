import Kernels

/// Whom each sample of a shard is mixed with: another one of the shard, after its own augmentation, by a permutation
/// addressed by seed, epoch and the shard's first sample. So what a shard trains on does not depend on who runs it.
package final class MixingPartners {
  private let seed: Int
  private let partners: UnsafeMutableBufferPointer<Int>
  private let storage: UnsafeMutableBufferPointer<Int32>

  /// For shards of at most `capacity` samples.
  package init(seed: Int, capacity: Int) {
    self.seed = seed
    partners = .allocate(capacity: capacity)
    storage = .allocate(capacity: capacity)
    partners.initialize(repeating: 0)
    storage.initialize(repeating: 0)
  }

  deinit {
    partners.deallocate()
    storage.deallocate()
  }

  /// Chooses anew, for a shard whose inputs are not mixed yet.
  package func choose(for shard: ShardStep) {
    var own = UnsafeMutableBufferPointer(rebasing: partners[..<shard.count])
    for index in own.indices { own[index] = index }
    // Each sample comes once an epoch, so no two shards share the first one.
    var stream = RandomStream(
      seed: seed, purpose: .mixturePartner, epoch: shard.context.epoch, sample: shard.samples[0])
    stream.shuffle(&own)
    for sample in 0..<shard.count { storage[sample] = shard.inputs.labels[partners[sample]] }
  }

  package subscript(sample: Int) -> Int { partners[sample] }
  /// Valid until they are chosen anew.
  package var indices: UnsafePointer<Int> { UnsafePointer(partners.baseAddress!) }
  /// The partners' labels.
  package var labels: UnsafePointer<Int32> { UnsafePointer(storage.baseAddress!) }
}
