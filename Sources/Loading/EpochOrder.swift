import Datasets
import Kernels

/// The order of samples in one epoch: a permutation of 0..<count that (seed, epoch) decides, or file order.
package struct EpochOrder: Sendable {
  private let samples: [Int32]

  package init(count: Int, seed: Int, epoch: Int, shuffle: Bool) {
    var samples = (0..<Int32(count)).map(\.self)
    if shuffle {
      var stream = RandomStream(seed: seed, purpose: .order, epoch: epoch)
      stream.shuffle(&samples)
    }
    self.samples = samples
  }

  package var count: Int { samples.count }

  /// Bytes of one.
  static func bytes(count: Int) -> Double { Double(count) * Double(MemoryLayout<Int32>.size) }

  /// The sample at a position of the epoch.
  package subscript(position: Int) -> Int { Int(samples[position]) }
}
