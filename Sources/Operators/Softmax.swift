import CKernels
import Graph

/// y = exp(x) / sum of exp(x), along one axis.
package struct Softmax: Operator {
  package var axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: String { "Softmax" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].extents.indices.contains(axis) else { throw GraphError("axis \(axis) of \(inputs[0])") }
    return inputs[0]
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .last(axis, of: inputs[0]) }
  package var backwardReads: Operands { .output }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["axis": .integer(axis + 1)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { SoftmaxKernel(self, context) }
}

final class SoftmaxKernel: Kernel {
  private let size, rows: Int

  init(_ softmax: Softmax, _ context: KernelContext) {
    size = context.output.shape[softmax.axis]
    rows = context.output.count / size
  }

  func forward(_ arguments: borrowing Arguments) {
    ck_softmax(arguments.input(), arguments.samples * rows, size, arguments.output)
  }

  /// forward was y = exp(x) / sum, so dx = y (dy - sum of dy y).
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    ck_softmax_backward(arguments.gradient, arguments.output, arguments.samples * rows, size, dx)
  }
}
