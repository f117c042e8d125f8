import Graph
import Kernels

/// The parameter-free shortcut (He et al. 2015, option A): every `stride`th position in each direction, between zero
/// channels, half of them before.
package struct PadShortcut: Operator {
  package var outputs: Int
  package var stride: Int

  package init(outputs: Int, stride: Int) {
    self.outputs = outputs
    self.stride = stride
  }

  package var kind: String { "PadShortcut" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let x = inputs[0]
    guard x.rank == 3, outputs >= x[0] else { throw GraphError("\(outputs) channels from \(x)") }
    return SampleShape(outputs, (x[1] - 1) / stride + 1, (x[2] - 1) / stride + 1)
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .alike(inputs) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let kept = x[0].shape
    let strided = [kept[1], kept[2]]
    let picked = graph.add(
      "Slice",
      [
        x[0].name, graph.constant([0, 0]), graph.constant(strided), graph.constant([2, 3]),
        graph.constant([stride, stride]),
      ])
    let before = (outputs - kept[0]) / 2
    let pads = graph.constant([0, before, 0, 0, 0, outputs - kept[0] - before, 0, 0])
    return graph.add("Pad", [picked, pads, graph.constant(Float(0))])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { PadShortcutKernel(self, context) }
}

final class PadShortcutKernel: Kernel {
  private let shortcut: PadShortcut
  private let x: SampleShape
  private let element: ElementType

  init(_ shortcut: PadShortcut, _ context: KernelContext) {
    self.shortcut = shortcut
    x = context.inputs[0].shape
    element = context.output.element
  }

  private func plan(_ samples: Int) -> Kernels.PadShortcut {
    Kernels.PadShortcut(
      Shape(batch: samples, height: x[1], width: x[2], channels: x[0]), outputs: shortcut.outputs,
      stride: shortcut.stride, element: element)
  }

  func forward(_ arguments: borrowing Arguments) {
    plan(arguments.samples).forward(arguments.x[0]!, into: arguments.y!)
  }

  /// forward copied positions, so backward copies them back.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    plan(arguments.samples).backward(arguments.dy!, into: dx)
  }
}
