import CKernels
import Graph
import Kernels

/// y = (x - mean) / sqrt(variance + eps) weight + bias, over the last `axes` axes of each sample.
package struct LayerNormalization: Operator {
  /// The variables' names, each of the shape of those axes; nil where the layer has none.
  package var weight, bias: String?
  package var axes: Int
  package var epsilon: Float

  package init(weight: String?, bias: String?, axes: Int = 1, epsilon: Float = 1e-5) {
    self.weight = weight
    self.bias = bias
    self.axes = axes
    self.epsilon = epsilon
  }

  package var kind: String { "LayerNormalization" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard axes > 0, axes <= inputs[0].rank else { throw GraphError("\(axes) axes of \(inputs[0])") }
    return inputs[0]
  }

  private func normalized(_ x: SampleShape) -> [Int] { Array(x.extents.suffix(axes)) }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let shape = normalized(inputs[0])
    return (weight.map { [Variable($0, shape, start: .constant(1), decays: false)] } ?? [])
      + (bias.map { [Variable($0, shape, start: .constant(0), decays: false)] } ?? [])
  }

  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    let last = Array(output.rank - axes..<output.rank)
    let needed = AxisOrder(inputs[0].order.axes.filter { !last.contains($0) } + last)
    return LayoutChoice(inputs: [needed], output: needed)
  }

  package var backwardReads: Operands { .input }
  package var parameterReads: Operands { .input }
  package var isCheap: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let shape = normalized(x[0].shape)
    let scale = weight ?? graph.constant(Array(repeating: 1, count: shape.reduce(1, *)), shape: shape)
    return graph.add(
      kind, [x[0].name, scale] + (bias.map { [$0] } ?? []),
      ["axis": .integer(-axes), "epsilon": .float(epsilon)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { LayerNormalizationKernel(self, context) }
}

final class LayerNormalizationKernel: Kernel {
  private let size, rows: Int
  private let epsilon: Float
  private let weight, bias: Int?
  private let work, sums: Tensor

  init(_ normalization: LayerNormalization, _ context: KernelContext) {
    size = context.output.shape.extents.suffix(normalization.axes).reduce(1, *)
    rows = context.output.count / size
    epsilon = normalization.epsilon
    weight = normalization.weight.map { _ in context.variables[0] }
    bias = normalization.bias.map { _ in context.variables.last! }
    work = Tensor(count: 2 * size)
    sums = Tensor(count: 2 * size)
  }

  func forward(_ arguments: borrowing Arguments) {
    let parameters = arguments.parameters
    ck_layer_norm(
      arguments.input(), arguments.samples * rows, size, epsilon, weight.map { parameters + $0 },
      bias.map { parameters + $0 }, arguments.output)
  }

  /// With n = (x - mean) / deviation, forward was y = n weight + bias.
  func backward(_ arguments: borrowing Arguments) {
    let parameters = arguments.parameters
    let dx = arguments.inputGradient()
    let isWanted = arguments.gradients != nil
    // A sample at a time: sums of many rows in float32 are sums of sums.
    if isWanted, arguments.isFirst {
      for start in [weight, bias] {
        if let start { (arguments.gradients! + start).update(repeating: 0, count: size) }
      }
    }
    for sample in 0..<arguments.samples {
      if isWanted { sums.pointer.update(repeating: 0, count: 2 * size) }
      let offset = sample * rows * size
      ck_layer_norm_backward(
        arguments.gradient + offset, arguments.input() + offset, rows, size, epsilon, weight.map { parameters + $0 },
        dx.map { $0 + offset }, isWanted && weight != nil ? sums.pointer : nil,
        isWanted && bias != nil ? sums.pointer + size : nil, work.pointer)
      guard let gradients = arguments.gradients else { continue }
      if let weight { for i in 0..<size { gradients[weight + i] += sums.pointer[i] } }
      if let bias { for i in 0..<size { gradients[bias + i] += sums.pointer[size + i] } }
    }
  }
}
