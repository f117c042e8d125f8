import Kernels

/// The network's input: images, channels last. It is the caller's memory, so nothing computes it.
package struct Input: Operator {
  package let size: SampleShape
  package init(_ size: SampleShape) { self.size = size }

  package var kind: String { "Input" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { size }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [], output: .channelsLast(output.rank))
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    preconditionFailure("the input has no node")
  }
  package func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("the input is not computed") }
}
