import CKernels
import Graph
import Kernels

/// The mean over windows of feature maps; zeros of the padding count if asked for (PyTorch's `count_include_pad`).
package struct AveragePool: Operator {
  package var window: Window
  package var countsPadding: Bool

  package init(_ window: Window, countsPadding: Bool) {
    self.window = window
    self.countsPadding = countsPadding
  }

  package var kind: String { "AveragePool" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard window.dilation == .init(1) else { throw GraphError("dilation") }
    return try window.output(of: inputs[0])
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(
      kind, x, window.attributes.merging(["count_include_pad": .integer(countsPadding ? 1 : 0)]) { first, _ in first })
  }
  package func kernel(_ context: KernelContext) -> any Kernel { AveragePoolKernel(self, context) }
}

final class AveragePoolKernel: Kernel {
  private let windows: ck_windows

  init(_ pool: AveragePool, _ context: KernelContext) {
    windows = pool.window.code(
      context.inputs[0].shape, context.output.shape, samples: context.samples, countsPadding: pool.countsPadding)
  }

  func forward(_ arguments: borrowing Arguments) { ck_average_pool(windows, arguments.input(), arguments.output) }

  /// forward was a mean, so every position of a window gets its share of dy.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    ck_average_pool_backward(windows, arguments.gradient, dx)
  }
}
