import Graph

/// y = x
package struct Identity: Operator {
  package init() {}
  package var kind: String { "Identity" }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order, isView: true)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
  package func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("a view is not computed") }
}
