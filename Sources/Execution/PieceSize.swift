import Graph

/// How many samples run together. A function of the network alone, since sums over a batch are taken piece by piece and
/// bits depend on them.
package enum PieceSize {
  /// Bytes of the largest intermediate of a piece: with what a layer reads and writes beside, it fits the second-level
  /// cache of a core.
  private static let largest = 1 << 19

  /// 8 where the network's maps are as small as a ResNet's for 32x32 images (docs/PERFORMANCE.md, "Tried").
  package static func training(_ network: Network) -> Int { size(network, atMost: 8) }
  package static func frozen(_ network: Network) -> Int { size(network, atMost: 4) }

  private static func size(_ network: Network, atMost most: Int) -> Int {
    let sample = network.nodes.map { $0.shape.count * 4 }.max() ?? 1
    var size = most
    while size > 1, size * sample > largest { size /= 2 }
    return size
  }
}
