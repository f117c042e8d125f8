import CKernels
import Graph
import Kernels

/// y = max(x, 0)
package struct ReLU: Operator {
  package init() {}
  package var kind: String { "Relu" }
  package var isCheap: Bool { true }
  /// The mask is all its backward pass is, and gathering does that.
  package var endsInReLU: Bool { true }
  package func passesGradient(of inputs: [Value], output: Value) -> [Int] { [0] }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .alike(inputs) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
  package func kernel(_ context: KernelContext) -> any Kernel { ReLUKernel(context) }
}

final class ReLUKernel: Kernel {
  private let count: Int
  private let element: ElementType

  init(_ context: KernelContext) {
    count = context.output.count
    element = context.output.element
  }

  func forward(_ arguments: borrowing Arguments) {
    ck_relu(element.code, arguments.x[0], arguments.samples * count, arguments.y)
  }
  func backward(_ arguments: borrowing Arguments) { preconditionFailure("gathering masks") }
}
