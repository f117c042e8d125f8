import Graph

/// The same value with its axes in another order: axis i of the output is axis `permutation[i]` of the input. Memory
/// stays as it is.
package struct Transpose: Operator {
  package var permutation: [Int]
  package init(_ permutation: [Int]) { self.permutation = permutation }

  package var kind: String { "Transpose" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard permutation.sorted() == Array(0..<inputs[0].rank) else {
      throw GraphError("permutation \(permutation) of \(inputs[0])")
    }
    return SampleShape(permutation.map { inputs[0][$0] })
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    let order = AxisOrder(inputs[0].order.axes.map { permutation.firstIndex(of: $0)! })
    return LayoutChoice(inputs: [inputs[0].order], output: order, isView: true)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["perm": .integers([0] + permutation.map { $0 + 1 })])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("a view is not computed") }
}
