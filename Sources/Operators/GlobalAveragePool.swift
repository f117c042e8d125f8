import Graph
import Kernels

/// Mean over a map's positions: (channels, ...) to (channels, 1, ...), or to a vector.
package struct GlobalAveragePool: Operator {
  package var keepsAxes: Bool
  package init(keepsAxes: Bool = false) { self.keepsAxes = keepsAxes }

  package var kind: String { "GlobalAveragePool" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank > 1 else { throw GraphError("expected feature maps, got \(inputs[0])") }
    return SampleShape([inputs[0][0]] + (keepsAxes ? Array(repeating: 1, count: inputs[0].rank - 1) : []))
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  /// The mean is a sum, and stays float32.
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice {
    ElementChoice(inputs: [inputs[0].element], output: .float32)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    guard !keepsAxes else { return graph.add(kind, x) }
    let axes = graph.constant(Array(2...x[0].shape.rank))
    return graph.add("ReduceMean", [x[0].name, axes], ["keepdims": .integer(0)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { GlobalAveragePoolKernel(context) }
}

final class GlobalAveragePoolKernel: Kernel {
  private let channels, positions: Int
  private let element: ElementType

  init(_ context: KernelContext) {
    channels = context.inputs[0].shape[0]
    positions = context.inputs[0].count / channels
    element = context.inputs[0].element
  }

  private func plan(_ samples: Int) -> Kernels.GlobalAveragePool {
    Kernels.GlobalAveragePool(Shape(batch: samples, height: positions, width: 1, channels: channels), element: element)
  }

  func forward(_ arguments: borrowing Arguments) {
    plan(arguments.samples).forward(arguments.x[0]!, into: arguments.output)
  }

  /// forward was the mean over positions, so every position's gradient is dy / positions.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    plan(arguments.samples).backward(arguments.gradient, into: dx)
  }
}
