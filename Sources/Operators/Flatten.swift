import Graph

/// All of a sample's elements as one vector.
package struct Flatten: Operator {
  package init() {}
  package var kind: String { "Flatten" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { SampleShape(inputs[0].count) }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    Reshape(output).layout(of: inputs, output: output)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["axis": .integer(1)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("a view is not computed") }
}
