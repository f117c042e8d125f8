import CKernels
import Graph

/// Positions of an axis, in the order of a constant list; one may come twice.
package struct Gather: Operator {
  package var axis: Int
  package var indices: [Int]

  package init(axis: Int, indices: [Int]) {
    self.axis = axis
    self.indices = indices
  }

  package var kind: String { "Gather" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    var extents = inputs[0].extents
    guard extents.indices.contains(axis), !indices.isEmpty, indices.allSatisfy((0..<extents[axis]).contains) else {
      throw GraphError("positions \(indices) along axis \(axis) of \(inputs[0])")
    }
    extents[axis] = indices.count
    return try SampleShape(checking: extents)
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, [x[0].name, graph.constant(indices)], ["axis": .integer(axis + 1)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { GatherKernel(self, context) }
}

final class GatherKernel: Kernel {
  private let indices: [Int]
  private let x, y: (outer: Int, extent: Int, inner: Int)

  init(_ gather: Gather, _ context: KernelContext) {
    indices = gather.indices
    x = context.inputs[0].split(at: gather.axis)
    y = context.output.split(at: gather.axis)
  }

  func forward(_ arguments: borrowing Arguments) {
    for (place, index) in indices.enumerated() {
      ck_copy_blocks(
        arguments.input() + index * x.inner, arguments.samples * x.outer, x.inner, x.extent * x.inner,
        y.extent * y.inner, arguments.output + place * y.inner)
    }
  }

  /// forward copied positions, so dx is the sum of dy over the places they went to.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    dx.update(repeating: 0, count: arguments.samples * x.outer * x.extent * x.inner)
    for (place, index) in indices.enumerated() {
      ck_add_blocks(
        arguments.gradient + place * y.inner, arguments.samples * x.outer, x.inner, y.extent * y.inner,
        x.extent * x.inner, dx + index * x.inner)
    }
  }
}
