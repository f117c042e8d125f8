/// The order in which a sample's axes lie in memory, outermost first.
///
/// A shape says what a value means, with PyTorch's axes; its order says where elements are. Feature maps lie channels
/// last (docs/ARCHITECTURE.md, "Kernels"), everything else row-major, until an operator that only renames axes
/// (Transpose, Reshape) comes: it keeps memory as it is and gives the value another order, so it costs nothing. Where a
/// kernel needs another order than its input has, the lowering puts a `Reorder` between.
package struct AxisOrder: Hashable, Sendable {
  package let axes: [Int]

  package init(_ axes: [Int]) {
    precondition(Set(axes) == Set(axes.indices), "\(axes) is not an order of axes")
    self.axes = axes
  }

  package static func rowMajor(_ rank: Int) -> AxisOrder { AxisOrder(Array(0..<rank)) }

  /// The first axis, the channels, innermost.
  package static func channelsLast(_ rank: Int) -> AxisOrder {
    AxisOrder(rank == 0 ? [] : Array(1..<rank) + [0])
  }

  /// The same with `axis` innermost.
  package func movingLast(_ axis: Int) -> AxisOrder { AxisOrder(axes.filter { $0 != axis } + [axis]) }

  /// Whether both orders put a value of `shape` into memory alike: axes of extent 1 may be anywhere.
  package func matches(_ other: AxisOrder, for shape: SampleShape) -> Bool {
    axes.filter { shape[$0] > 1 } == other.axes.filter { shape[$0] > 1 }
  }

  /// The order of a value of shape `to` that is the value of shape `from` in this order, read by other axes (ONNX's
  /// Reshape); nil where elements would have to move.
  package func reshaped(from: SampleShape, to: SampleShape) -> AxisOrder? {
    precondition(from.count == to.count, "\(from) and \(to) differ in size")
    // Axes that become others, group by group: the smallest groups of equal size.
    var groups: [(old: [Int], new: [Int])] = []
    var old = from.extents.indices.filter { from[$0] > 1 }[...]
    var new = to.extents.indices.filter { to[$0] > 1 }[...]
    while let firstOld = old.popFirst(), let firstNew = new.popFirst() {
      var group = (old: [firstOld], new: [firstNew])
      var sizes = (old: from[firstOld], new: to[firstNew])
      while sizes.old != sizes.new {
        if sizes.old < sizes.new {
          guard let next = old.popFirst() else { return nil }
          group.old.append(next)
          sizes.old *= from[next]
        } else {
          guard let next = new.popFirst() else { return nil }
          group.new.append(next)
          sizes.new *= to[next]
        }
      }
      groups.append(group)
    }
    // Each group must lie in memory in one piece, in its own order.
    var memory = axes.filter { from[$0] > 1 }[...]
    var result = to.extents.indices.filter { to[$0] == 1 }
    while let first = memory.first {
      guard let group = groups.first(where: { $0.old.first == first }), memory.starts(with: group.old) else {
        return nil
      }
      result += group.new
      memory = memory.dropFirst(group.old.count)
    }
    return AxisOrder(result)
  }
}
