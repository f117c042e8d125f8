import Graph
import Kernels

/// y = x w^T (+ bias) along the last axis, for every position of the axes before: a dense layer over a sequence or a
/// map. It runs as a convolution with a kernel of one position, with the weights packed.
package struct Projection: Operator {
  /// The variables' names; w is (outputs, inputs), or (inputs, outputs) where `isTransposed`.
  package var weight: String
  package var bias: String?
  package var outputs: Int
  package var isTransposed: Bool

  package init(weight: String, bias: String?, outputs: Int, isTransposed: Bool = false) {
    self.weight = weight
    self.bias = bias
    self.outputs = outputs
    self.isTransposed = isTransposed
  }

  package var kind: String { "MatMul" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank > 0 else { throw GraphError("expected features, got \(inputs[0])") }
    return try SampleShape(checking: inputs[0].extents.dropLast() + [outputs])
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let features = inputs[0].extents.last!
    return [.dense(weight, isTransposed ? [features, outputs] : [outputs, features], inputs: features)]
      + (bias.map { [.dense($0, [outputs], inputs: features)] } ?? [])
  }

  package func operations(of inputs: [SampleShape]) -> Int { 2 * inputs[0].count * outputs }
  package func resized(outputs: Int) -> (any Operator)? {
    var resized = self
    resized.outputs = outputs
    return resized
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .last(output.rank - 1, of: inputs[0])
  }
  package var parameterReads: Operands { .input }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    guard !isTransposed else {
      let product = graph.add("MatMul", [x[0].name, weight])
      return bias.map { graph.add("Add", [product, $0]) } ?? product
    }
    // Positions as samples: Gemm takes the matrix as PyTorch has it.
    let shape = x[0].shape.extents
    let rows = graph.reshape(x[0].name, to: SampleShape(shape.last!))
    let product = graph.add("Gemm", [rows, weight] + (bias.map { [$0] } ?? []), ["transB": .integer(1)])
    return graph.reshape(product, to: SampleShape(shape.dropLast() + [outputs]))
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ProjectionKernel(self, context) }
  package func memory(_ context: KernelContext) -> MemoryUse {
    let geometry = geometry(context)
    let turned = MemoryUse(own: isTransposed ? 4 * Double(geometry.weightCount) : 0)
    return turned
      + Kernels.Convolution.memory(
        geometry, backend: context.backend, passes: .init(context, forward: .forward, backward: .backwardData))
  }

  /// Every position of every sample as one of a column.
  fileprivate func geometry(_ context: KernelContext) -> ConvolutionGeometry {
    let inputs = context.inputs[0].shape.extents.last!
    return ConvolutionGeometry(
      input: Shape(batch: 1, height: context.samples * (context.inputs[0].count / inputs), width: 1, channels: inputs),
      outputs: outputs, kernel: 1, stride: 1, padding: 0)
  }
}

final class ProjectionKernel: Kernel {
  private let plan: Kernels.Convolution
  private let inputs, outputs, rows: Int
  private let weight: Int
  private let bias: Int?
  private let sums: ChannelSums?
  /// The weights, or their gradient, turned.
  private let turned: Tensor?

  init(_ projection: Projection, _ context: KernelContext) {
    inputs = context.inputs[0].shape.extents.last!
    outputs = projection.outputs
    rows = context.inputs[0].count / inputs
    plan = Kernels.Convolution(
      projection.geometry(context), backend: context.backend,
      passes: .init(context, forward: .forward, backward: .backwardData),
      fusing: projection.bias == nil ? [] : .bias, scratch: context.scratch)
    weight = context.variables[0]
    bias = projection.bias.map { _ in context.variables[1] }
    sums = bias != nil && context.wantsParameterGradients ? ChannelSums(outputs) : nil
    turned = projection.isTransposed ? Tensor(count: inputs * outputs) : nil
  }

  func load(_ parameters: UnsafePointer<Float>) {
    guard let turned else { return plan.load(parameters + weight) }
    for output in 0..<outputs {
      for input in 0..<inputs {
        turned.pointer[output * inputs + input] = parameters[weight + input * outputs + output]
      }
    }
    plan.load(turned.pointer)
  }

  func forward(_ arguments: borrowing Arguments) {
    let parameters = arguments.parameters
    plan.forward(arguments.input(), bias: bias.map { parameters + $0 }, into: arguments.output)
  }

  /// forward was y = x w^T + bias, so dx = dy w, dw = dy^T x, dbias = sum of dy.
  func backward(_ arguments: borrowing Arguments) {
    if let gradients = arguments.gradients {
      plan.backward(arguments.gradient, x: arguments.input(), isFirst: arguments.beginsSum)
      if let bias {
        sums!.add(
          arguments.gradient, rows: arguments.samples * rows, isFirst: arguments.isFirst, into: gradients + bias)
      }
    }
    if let dx = arguments.inputGradient() { plan.backward(arguments.gradient, intoInput: dx) }
  }

  func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool) {
    guard let turned else { return plan.weightGradient(adding: adding, into: gradients + weight) }
    plan.weightGradient(into: turned.pointer)
    for input in 0..<inputs {
      for output in 0..<outputs {
        let place = weight + input * outputs + output
        gradients[place] = (adding ? gradients[place] : 0) + turned.pointer[output * inputs + input]
      }
    }
  }
}
