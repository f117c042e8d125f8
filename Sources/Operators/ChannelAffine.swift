import CKernels
import Graph
import Kernels

/// y = x weight + bias by channel (the first axis), cut at 0 if asked for: what batch normalisation is in evaluation
/// mode, where it stands alone. Only lowerings make it: the weights are folded ones, and have no gradients.
package struct ChannelAffine: Operator {
  package var weight, bias: String
  package var relu = false

  package init(weight: String, bias: String) {
    self.weight = weight
    self.bias = bias
  }

  package var kind: String { "ChannelAffine" }
  package func variables(of inputs: [SampleShape]) -> [Variable] {
    [weight, bias].map { Variable($0, [inputs[0][0]], start: .constant(0)) }
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .all(precision, of: inputs) }
  package var endsInReLU: Bool { relu }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    precondition(!relu, "an export is made before fusion")
    // (channels, 1, ...) beside (batch, channels, ...)
    let shape = [x[0].shape[0]] + Array(repeating: 1, count: x[0].shape.rank - 1)
    let extents = graph.constant(shape)
    let product = graph.add("Mul", [x[0].name, graph.add("Reshape", [weight, extents])])
    return graph.add("Add", [product, graph.add("Reshape", [bias, extents])])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ChannelAffineKernel(relu, context) }
}

final class ChannelAffineKernel: Kernel {
  private let channels, count, width: Int
  private let element: ElementType
  private let weight, bias: Int
  private let relu: Bool
  /// Coefficients repeated along a row of several positions (`ck_row_width`), and zeros.
  private let scale, shift, zero: Tensor

  init(_ relu: Bool, _ context: KernelContext) {
    channels = context.output.shape[0]
    count = context.output.count
    element = context.output.element
    width = Int(ck_row_width(Int32(channels)))
    weight = context.variables[0]
    bias = context.variables[1]
    self.relu = relu
    scale = Tensor(count: width)
    shift = Tensor(count: width)
    zero = Tensor(count: width)
  }

  func load(_ parameters: UnsafePointer<Float>) {
    for index in 0..<width {
      scale.pointer[index] = parameters[weight + index % channels]
      shift.pointer[index] = parameters[bias + index % channels]
    }
  }

  func forward(_ arguments: borrowing Arguments) {
    ck_normalize(
      element.code, arguments.x[0], arguments.samples * count, Int32(width), zero.pointer, scale.pointer, shift.pointer,
      nil, relu ? 1 : 0, arguments.y)
  }

  /// forward was y = x weight + bias, so dx = dy weight.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    ck_normalize(
      element.code, arguments.dy, arguments.samples * count, Int32(width), zero.pointer, scale.pointer, zero.pointer,
      nil,
      0, dx)
  }
}
