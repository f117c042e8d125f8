import CKernels
import Graph

/// The same value in another order of axes: what a lowering puts between two operators that want different ones.
package struct Reorder: Operator {
  package var order: AxisOrder

  package init(_ order: AxisOrder) { self.order = order }

  package var kind: String { "Reorder" }
  package var isCheap: Bool { true }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: order)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    preconditionFailure("an export is made before orders are chosen")
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ReorderKernel(context) }
}

final class ReorderKernel: Kernel {
  private let x, y: StridedLoop

  init(_ context: KernelContext) {
    x = StridedLoop(walking: context.output, strides: [context.inputs[0].strides])
    y = StridedLoop(walking: context.inputs[0], strides: [context.output.strides])
  }

  func forward(_ arguments: borrowing Arguments) {
    x.copy(arguments.input(), into: arguments.output, samples: arguments.samples)
  }

  /// forward permuted the elements, so backward permutes them back.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    y.copy(arguments.gradient, into: dx, samples: arguments.samples)
  }
}
