import Kernels

/// What one node hands to the next: a batch of samples of a shape, elements of a type, in an order of axes. Sample n
/// begins at `n * bytes`.
package struct Value: Hashable, Sendable {
  package var shape: SampleShape
  package var order: AxisOrder
  package var element: ElementType

  package init(_ shape: SampleShape, order: AxisOrder, element: ElementType = .float32) {
    precondition(order.axes.count == shape.rank, "an order of \(order.axes.count) axes for \(shape)")
    self.shape = shape
    self.order = order
    self.element = element
  }

  /// Elements and bytes of a sample.
  package var count: Int { shape.count }
  package var bytes: Int { count * element.bytes }

  /// Elements from one position of each axis to the next; 0 for axes of extent 1, so that they broadcast.
  package var strides: [Int] {
    var strides = Array(repeating: 0, count: shape.rank)
    var stride = 1
    for axis in order.axes.reversed() {
      if shape[axis] > 1 { strides[axis] = stride }
      stride *= shape[axis]
    }
    return strides
  }

  /// A sample seen along one axis: [outer][extent][inner], as it lies in memory.
  package func split(at axis: Int) -> (outer: Int, extent: Int, inner: Int) {
    let place = order.axes.firstIndex(of: axis)!
    func size(_ axes: some Sequence<Int>) -> Int { axes.reduce(1) { $0 * shape[$1] } }
    return (size(order.axes[..<place]), shape[axis], size(order.axes[(place + 1)...]))
  }
}
