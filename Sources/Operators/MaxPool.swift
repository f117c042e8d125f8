import CKernels
import Graph
import Kernels

/// The maximum over windows of feature maps.
package struct MaxPool: Operator {
  package var window: Window
  package init(_ window: Window) { self.window = window }

  package var kind: String { "MaxPool" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { try window.output(of: inputs[0]) }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .alike(inputs) }
  package var backwardReads: Operands { Operands(inputs: [0], output: true) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, window.attributes)
  }
  package func kernel(_ context: KernelContext) -> any Kernel { MaxPoolKernel(self, context) }
}

final class MaxPoolKernel: Kernel {
  private let windows: ck_windows
  private let work: Tensor
  private let element: ElementType

  init(_ pool: MaxPool, _ context: KernelContext) {
    windows = pool.window.code(
      context.inputs[0].shape, context.output.shape, samples: context.samples, countsPadding: false)
    work = Tensor(count: context.output.shape[0])
    element = context.output.element
  }

  func forward(_ arguments: borrowing Arguments) { ck_max_pool(element.code, windows, arguments.x[0], arguments.y) }

  /// forward took the largest of a window; the first position that has it takes dy.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    ck_max_pool_backward(element.code, windows, arguments.dy, arguments.x[0], arguments.y, dx, work.pointer)
  }
}
