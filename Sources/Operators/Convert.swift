import Graph
import Kernels

/// The same value in another type of elements: what a lowering puts between two operators that want different ones. The
/// gradient goes back as it came, in the input's type.
package struct Convert: Operator {
  package var element: ElementType

  package init(_ element: ElementType) { self.element = element }

  package var kind: String { "Cast" }
  package var isCheap: Bool { true }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice {
    ElementChoice(inputs: [inputs[0].element], output: element)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    preconditionFailure("an export is made before elements are chosen")
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ConvertKernel(context) }
}

final class ConvertKernel: Kernel {
  private let count: Int
  private let from, to: ElementType

  init(_ context: KernelContext) {
    count = context.output.count
    from = context.inputs[0].element
    to = context.output.element
  }

  func forward(_ arguments: borrowing Arguments) {
    Elementwise.convert(arguments.x[0]!, from, count: arguments.samples * count, to: to, into: arguments.y!)
  }

  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    Elementwise.convert(arguments.dy!, to, count: arguments.samples * count, to: from, into: dx)
  }
}
