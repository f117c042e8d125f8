/// The address of a training pass's random numbers: with a sample's index and a node's name it gives the same numbers
/// to every pass of a step, on any rank, in pieces of any size. Evaluation and refinement have none.
package struct Randomness {
  package var seed: Int
  package var epoch: Int
  /// Of each sample of the batch, its index in the data.
  package var samples: UnsafePointer<Int>

  package init(seed: Int, epoch: Int, samples: UnsafePointer<Int>) {
    self.seed = seed
    self.epoch = epoch
    self.samples = samples
  }
}
