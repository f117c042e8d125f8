/// The shape of one sample of a value: its axes as PyTorch and ONNX number them, without the batch axis. A feature map
/// is (channels, height, width), a vector (features), a sequence (tokens, features). At most five axes, six with the
/// batch.
package struct SampleShape: Hashable, Sendable, CustomStringConvertible {
  package static let maximumRank = 5

  package let extents: [Int]

  package init(_ extents: [Int]) {
    precondition(extents.count <= Self.maximumRank && extents.allSatisfy { $0 > 0 }, "extents \(extents)")
    self.extents = extents
  }

  package init(_ extents: Int...) { self.init(extents) }

  /// What a reader of files calls: throws where `init` traps.
  package init(checking extents: [Int]) throws(GraphError) {
    guard extents.count <= Self.maximumRank else {
      throw GraphError("a value of \(extents.count + 1) axes; at most \(Self.maximumRank + 1) are supported")
    }
    // A sample of more than 2^40 elements is no network's: products stay within an Int.
    var count = 1.0
    for extent in extents { count *= Double(extent) }
    guard extents.allSatisfy({ $0 > 0 }), count < 0x1p40 else { throw GraphError("a value of shape \(extents)") }
    self.extents = extents
  }

  package var rank: Int { extents.count }
  /// Elements of a sample.
  package var count: Int { extents.reduce(1, *) }
  package subscript(axis: Int) -> Int { extents[axis] }

  /// The axis that ONNX or PyTorch call `axis` of the whole value: 0 is the batch, negative ones count from the end.
  /// Throws for the batch axis and for axes that are not there.
  package func axis(_ axis: Int) throws(GraphError) -> Int {
    let index = axis < 0 ? axis + rank : axis - 1
    guard extents.indices.contains(index) else {
      throw GraphError(
        axis == 0 || index == -1
          ? "it works along the batch axis" : "axis \(axis) of a value with \(rank + 1) axes")
    }
    return index
  }

  package var description: String { extents.isEmpty ? "1" : extents.map(String.init).joined(separator: "x") }
}
