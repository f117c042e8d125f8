import Datasets
import Kernels

/// The order of samples in one epoch: a permutation of 0..<count that (seed, epoch) decides, or file order.
package struct EpochOrder: Sendable {
  private let samples: [Int32]

  package init(count: Int, seed: Int, epoch: Int, shuffle: Bool) {
    var samples = (0..<Int32(count)).map(\.self)
    if shuffle {
      // Fisher and Yates 1938, in Durstenfeld's form.
      var stream = RandomStream(seed: seed, purpose: .order, epoch: epoch)
      for last in stride(from: count - 1, to: 0, by: -1) {
        samples.swapAt(last, stream.integer(below: last + 1))
      }
    }
    self.samples = samples
  }

  package var count: Int { samples.count }

  /// The sample at a position of the epoch.
  package subscript(position: Int) -> Int { Int(samples[position]) }
}
