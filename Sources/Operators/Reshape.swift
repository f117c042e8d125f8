import Graph

/// The same elements, in PyTorch's order (the last axis fastest), under another shape: Reshape, Flatten, Squeeze,
/// Unsqueeze. Memory stays as it is wherever the axes that become others lie together.
package struct Reshape: Operator {
  package var target: SampleShape

  package init(_ target: SampleShape) { self.target = target }

  package var kind: String { "Reshape" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].count == target.count else { throw GraphError("\(inputs[0]) cannot become \(target)") }
    return target
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    if let order = inputs[0].order.reshaped(from: inputs[0].shape, to: output) {
      return LayoutChoice(inputs: [inputs[0].order], output: order, isView: true)
    }
    return LayoutChoice(inputs: [.rowMajor(inputs[0].shape.rank)], output: .rowMajor(output.rank), isView: true)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.reshape(x[0].name, to: target)
  }
  package func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("a view is not computed") }
}
