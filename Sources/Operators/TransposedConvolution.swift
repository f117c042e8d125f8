import CKernels
import Graph
import Kernels

/// The transpose of a convolution: what a convolution from y to x does backward to its input. Feature maps grow by the
/// stride.
package struct TransposedConvolution: Operator {
  /// The variables' names; w is (inputs, outputs / groups, kernel height, kernel width), the bias (outputs).
  package var weight: String
  package var bias: String?
  package var outputs: Int
  package var kernel, stride, dilation: ConvolutionGeometry.Pair
  package var padding: ConvolutionGeometry.Padding
  /// Rows and columns that are added at the end.
  package var outputPadding: ConvolutionGeometry.Pair
  package var groups: Int

  package init(
    weight: String, bias: String?, outputs: Int, kernel: ConvolutionGeometry.Pair, stride: ConvolutionGeometry.Pair,
    dilation: ConvolutionGeometry.Pair = .init(1), padding: ConvolutionGeometry.Padding = .init(0),
    outputPadding: ConvolutionGeometry.Pair = .init(0), groups: Int = 1
  ) {
    self.weight = weight
    self.bias = bias
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.outputPadding = outputPadding
    self.groups = groups
  }

  package var kind: String { "ConvTranspose" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let x = inputs[0]
    guard x.rank == 3 else { throw GraphError("expected feature maps (channels, height, width), got \(x)") }
    guard groups > 0, x[0] % groups == 0, outputs % groups == 0 else {
      throw GraphError("\(x[0]) channels to \(outputs) in \(groups) groups")
    }
    let y = try SampleShape(
      checking: [
        outputs,
        (x[1] - 1) * stride.height - padding.top - padding.bottom + dilation.height * (kernel.height - 1)
          + outputPadding.height + 1,
        (x[2] - 1) * stride.width - padding.left - padding.right + dilation.width * (kernel.width - 1)
          + outputPadding.width + 1,
      ])
    guard geometry(y, inputs: x[0], samples: 1).output == Shape(batch: 1, height: x[1], width: x[2], channels: x[0])
    else {
      throw GraphError("\(x) to \(y): an output padding as large as the stride")
    }
    return y
  }

  /// The convolution from y to x.
  private func geometry(_ y: SampleShape, inputs: Int, samples: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(
      input: Shape(batch: samples, height: y[1], width: y[2], channels: outputs), outputs: inputs, kernel: kernel,
      stride: stride, dilation: dilation, padding: padding, groups: groups)
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    [.filters(weight, [inputs[0][0], outputs / groups, kernel.height, kernel.width])]
      + (bias.map { [Variable($0, [outputs], start: .constant(0))] } ?? [])
  }

  package func operations(of inputs: [SampleShape]) -> Int {
    2 * inputs[0].count * (outputs / groups) * kernel.height * kernel.width
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package var parameterReads: Operands { .input }
  private func geometry(_ context: KernelContext) -> ConvolutionGeometry {
    geometry(context.output.shape, inputs: context.inputs[0].shape[0], samples: context.samples)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(
      kind, [x[0].name, weight] + (bias.map { [$0] } ?? []),
      [
        "kernel_shape": .integers(kernel.extents), "strides": .integers(stride.extents),
        "dilations": .integers(dilation.extents), "pads": .integers(padding.extents),
        "output_padding": .integers(outputPadding.extents), "group": .integer(groups),
      ])
  }
  package func kernel(_ context: KernelContext) -> any Kernel {
    TransposedConvolutionKernel(self, geometry(context), context)
  }
  package func memory(_ context: KernelContext) -> MemoryUse {
    Kernels.Convolution.memory(
      geometry(context), backend: context.backend, passes: .init(context, forward: .backwardData, backward: .forward))
  }
}

final class TransposedConvolutionKernel: Kernel {
  private let plan: Kernels.Convolution
  private let weight: Int
  private let bias: Int?
  private let positions: Int
  private let outputs: Int
  private let sums: ChannelSums?
  private let row: BiasRow

  /// A bias repeated along rows of several positions.
  private struct BiasRow {
    let width: Int
    let one, zero, shift: Tensor
  }

  init(_ convolution: TransposedConvolution, _ geometry: ConvolutionGeometry, _ context: KernelContext) {
    plan = Kernels.Convolution(
      geometry, backend: context.backend, passes: .init(context, forward: .backwardData, backward: .forward),
      scratch: context.scratch)
    weight = context.variables[0]
    bias = convolution.bias.map { _ in context.variables[1] }
    outputs = convolution.outputs
    positions = context.output.count / outputs
    sums = bias != nil && context.wantsParameterGradients ? ChannelSums(outputs) : nil
    let width = Int(ck_row_width(Int32(outputs)))
    row = BiasRow(width: width, one: Tensor(count: width), zero: Tensor(count: width), shift: Tensor(count: width))
    row.one.pointer.update(repeating: 1, count: width)
  }

  func load(_ parameters: UnsafePointer<Float>) {
    plan.load(parameters + weight)
    guard let bias else { return }
    for index in 0..<row.width { row.shift.pointer[index] = parameters[bias + index % outputs] }
  }

  func forward(_ arguments: borrowing Arguments) {
    plan.backward(arguments.input(), intoInput: arguments.output)
    guard bias != nil else { return }
    ck_normalize(
      CK_FLOAT32, arguments.output, arguments.samples * positions * outputs, Int32(row.width), row.zero.pointer,
      row.one.pointer, row.shift.pointer, nil, 0, arguments.output)
  }

  /// forward was a convolution's backward pass to its input, so dx is that convolution of dy, and dw its gradient with
  /// x in the place of the convolution's dy.
  func backward(_ arguments: borrowing Arguments) {
    if let gradients = arguments.gradients {
      plan.backward(arguments.input(), x: arguments.gradient, isFirst: arguments.beginsSum)
      if let bias {
        sums!.add(
          arguments.gradient, rows: arguments.samples * positions, isFirst: arguments.isFirst, into: gradients + bias)
      }
    }
    if let dx = arguments.inputGradient() { plan.forward(arguments.gradient, into: dx) }
  }

  func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool) {
    plan.weightGradient(adding: adding, into: gradients + weight)
  }
}
