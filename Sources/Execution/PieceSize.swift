import Graph

/// How many samples run together. A function of the network alone, since sums over a batch are taken piece by piece and
/// bits depend on them.
package enum PieceSize {
  /// Bytes of the largest intermediate of a piece: with what a layer reads and writes beside, it fits the second-level
  /// cache of a core.
  private static let largest = 1 << 19
  /// Bytes of all intermediates of a piece whose weights are many. Fusions leave about a third of them.
  private static let most = 64 << 20

  /// 8 where the network's maps are as small as a ResNet's for 32x32 images (docs/PERFORMANCE.md, "Tried").
  package static func training(_ network: Network) -> Int { size(network, small: 8) }
  package static func frozen(_ network: Network) -> Int { size(network, small: 4) }

  /// As many as the cache holds, `small` at most; but as many as it takes, up to 32, until reading the weights, once a
  /// piece, is no more than what the samples read and write.
  private static func size(_ network: Network, small: Int) -> Int {
    let samples = network.nodes.map { $0.shape.count * 4 }
    var size = small
    while size > 1, size * (samples.max() ?? 0) > largest { size /= 2 }
    let (weights, sample) = (4 * ParameterLayout(network).parameterCount, samples.reduce(0, +))
    while size < 32, weights > size * sample, 2 * size * sample <= most { size *= 2 }
    return size
  }
}
