import Kernels

/// Whose picture is changed: the same address draws the same numbers on any rank, in any thread, at any time.
package struct SampleAddress: Hashable, Sendable {
  package let seed: Int
  package let epoch: Int
  package let sample: Int

  package init(seed: Int, epoch: Int, sample: Int) {
    self.seed = seed
    self.epoch = epoch
    self.sample = sample
  }

  /// Each transform has a purpose of its own, so switching one off leaves what the others draw.
  func stream(_ purpose: RandomStream.Purpose) -> RandomStream {
    RandomStream(seed: seed, purpose: purpose, epoch: epoch, sample: sample)
  }
}
