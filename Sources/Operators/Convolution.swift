import Graph
import Kernels

/// y = x * w (+ bias), over feature maps (channels, height, width): any stride, dilation, padding and number of groups,
/// of as many groups as channels too (depthwise). A lowering may have it add another value of y's shape, and cut at 0.
package struct Convolution: Operator {
  /// The variables' names; w is (outputs, inputs / groups, kernel height, kernel width), the bias (outputs).
  package var weight: String
  package var bias: String?
  package var outputs: Int
  package var kernel: ConvolutionGeometry.Pair
  package var stride: ConvolutionGeometry.Pair
  package var dilation: ConvolutionGeometry.Pair
  package var padding: ConvolutionGeometry.Padding
  package var groups: Int
  /// By fusion: y = max(x * w + bias + addend, 0), the addend being a second input.
  package var hasAddend = false
  package var relu = false

  package init(
    weight: String, bias: String? = nil, outputs: Int, kernel: ConvolutionGeometry.Pair,
    stride: ConvolutionGeometry.Pair = .init(1), dilation: ConvolutionGeometry.Pair = .init(1),
    padding: ConvolutionGeometry.Padding = .init(0), groups: Int = 1
  ) {
    self.weight = weight
    self.bias = bias
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.groups = groups
  }

  package var kind: String { "Conv" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let x = inputs[0]
    guard x.rank == 3 else { throw GraphError("expected feature maps (channels, height, width), got \(x)") }
    guard groups > 0, x[0] % groups == 0, outputs % groups == 0 else {
      throw GraphError("\(x[0]) channels to \(outputs) in \(groups) groups")
    }
    let y = geometry(x, samples: 1).output
    guard y.height > 0, y.width > 0 else {
      throw GraphError("a kernel of \(kernel.height)x\(kernel.width) over maps of \(x[1])x\(x[2])")
    }
    return SampleShape(outputs, y.height, y.width)
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let shape = [outputs, inputs[0][0] / groups, kernel.height, kernel.width]
    return [.filters(weight, shape)] + (bias.map { [Variable($0, [outputs], start: .constant(0))] } ?? [])
  }

  package func operations(of inputs: [SampleShape]) -> Int { geometry(inputs[0], samples: 1).operations }
  package func resized(outputs: Int) -> (any Operator)? {
    var resized = self
    resized.outputs = outputs
    return resized
  }

  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }

  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice {
    let elements = Kernels.Convolution.Elements.preferred(precision, for: geometry(inputs[0].shape, samples: 1))
    return ElementChoice(inputs: [elements.x] + inputs.dropFirst().map { _ in elements.y }, output: elements.y)
  }

  package var parameterReads: Operands { .input }
  package var endsInReLU: Bool { relu }
  package func passesGradient(of inputs: [Value], output: Value) -> [Int] { hasAddend ? [1] : [] }

  package func geometry(_ x: SampleShape, samples: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(
      input: Shape(batch: samples, height: x[1], width: x[2], channels: x[0]), outputs: outputs, kernel: kernel,
      stride: stride, dilation: dilation, padding: padding, groups: groups)
  }

  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    precondition(!relu && !hasAddend, "an export is made before fusion")
    return graph.add(
      kind, [x[0].name, weight] + (bias.map { [$0] } ?? []),
      [
        "kernel_shape": .integers(kernel.extents), "strides": .integers(stride.extents),
        "dilations": .integers(dilation.extents), "pads": .integers(padding.extents), "group": .integer(groups),
      ])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ConvolutionKernel(self, context) }
  package func memory(_ context: KernelContext) -> MemoryUse {
    Kernels.Convolution.memory(
      geometry(context.inputs[0].shape, samples: context.samples), backend: context.backend,
      elements: .init(context), passes: .init(context, forward: .forward, backward: .backwardData))
  }
}

extension Kernels.Convolution.Elements {
  init(_ context: KernelContext) { self.init(x: context.inputs[0].element, y: context.output.element) }
}

extension Kernels.Convolution.Passes {
  /// Those that an operator's kernel needs, which runs forward and backward to its input by the passes given.
  init(_ context: KernelContext, forward: Self, backward: Self) {
    self = forward
    if context.wantsGradient[0] { insert(backward) }
    if context.wantsParameterGradients { insert(.backwardWeights) }
  }
}

final class ConvolutionKernel: MaskingKernel {
  private let plan: Kernels.Convolution
  private let weight: Int
  private let bias: Int?
  private let outputs: Int
  private let hasAddend: Bool
  private let sums: ChannelSums?

  init(_ convolution: Convolution, _ context: KernelContext) {
    var fusion: Kernels.Convolution.Fusion = []
    if convolution.bias != nil { fusion.insert(.bias) }
    if convolution.hasAddend { fusion.insert(.addend) }
    if convolution.relu { fusion.insert(.relu) }
    plan = Kernels.Convolution(
      convolution.geometry(context.inputs[0].shape, samples: context.samples), backend: context.backend,
      elements: .init(context), passes: .init(context, forward: .forward, backward: .backwardData), fusing: fusion,
      scratch: context.scratch)
    weight = context.variables[0]
    bias = convolution.bias.map { _ in context.variables[1] }
    outputs = convolution.outputs
    hasAddend = convolution.hasAddend
    sums = bias != nil && context.wantsParameterGradients ? ChannelSums(outputs, element: context.output.element) : nil
  }

  func load(_ parameters: UnsafePointer<Float>) { plan.load(parameters + weight) }

  func forward(_ arguments: borrowing Arguments) {
    plan.forward(
      arguments.x[0]!, bias: bias.map { [parameters = arguments.parameters] in parameters + $0 },
      addend: hasAddend ? arguments.x[1] : nil, into: arguments.y!)
  }

  /// forward was y = x * w + bias, so dx = dy * w transposed, dw = sum of x dy, dbias = sum of dy.
  func backward(_ arguments: borrowing Arguments) {
    backwardToParameters(arguments)
    if let dx = arguments.dx[0] { plan.backward(arguments.dy!, intoInput: dx) }
  }

  private func backwardToParameters(_ arguments: borrowing Arguments) {
    guard let gradients = arguments.gradients else { return }
    plan.backward(arguments.dy!, x: arguments.x[0]!, isFirst: arguments.beginsSum)
    if let bias, let sums {
      sums.add(
        arguments.dy!, rows: arguments.samples * plan.geometry.output.height * plan.geometry.output.width,
        isFirst: arguments.isFirst, into: gradients + bias)
    }
  }

  func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool) {
    plan.weightGradient(adding: adding, into: gradients + weight)
  }

  var maximumOtherSources: Int? { plan.masksBackward ? 2 : nil }

  func backward(
    _ arguments: borrowing Arguments, adding sources: GradientSources, maskedBy y: UnsafeRawPointer?,
    into dx: UnsafeMutableRawPointer
  ) {
    backwardToParameters(arguments)
    plan.backward(arguments.dy!, adding: sources, maskedBy: y, intoInput: dx)
  }
}
