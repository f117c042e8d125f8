import Graph
import Kernels

/// y = x w^T (+ bias) of vectors, for the whole batch at once: a network's last layers. A lowering may have it cut at
/// 0.
package struct Dense: Operator {
  /// The variables' names; w is (outputs, inputs).
  package var weight: String
  package var bias: String?
  package var outputs: Int
  /// By fusion.
  package var relu = false

  /// Under PyTorch's names in a module `name`.
  package init(_ name: String, outputs: Int) {
    self.init(weight: "\(name).weight", bias: "\(name).bias", outputs: outputs)
  }

  package init(weight: String, bias: String?, outputs: Int) {
    self.weight = weight
    self.bias = bias
    self.outputs = outputs
  }

  package var kind: String { "Gemm" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank == 1 else { throw GraphError("expected vectors, got \(inputs[0])") }
    return SampleShape(outputs)
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let inputs = inputs[0].count
    return [.dense(weight, [outputs, inputs], inputs: inputs)]
      + (bias.map { [.dense($0, [outputs], inputs: inputs)] } ?? [])
  }

  package func operations(of inputs: [SampleShape]) -> Int { 2 * inputs[0].count * outputs }
  package func resized(outputs: Int) -> (any Operator)? {
    var resized = self
    resized.outputs = outputs
    return resized
  }
  package var scope: Scope { .batch }
  package var parameterReads: Operands { .input }
  package var endsInReLU: Bool { relu }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    precondition(!relu, "an export is made before fusion")
    return graph.add(kind, [x[0].name, weight] + (bias.map { [$0] } ?? []), ["transB": .integer(1)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { DenseKernel(self, context) }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .rowMajor(of: inputs, output: output) }
}

final class DenseKernel: Kernel {
  private let plan: Linear
  private let weight: Int
  private let bias: Int?
  /// What stands for a bias, and for its gradient, where the layer has none.
  private let none: Tensor

  init(_ dense: Dense, _ context: KernelContext) {
    plan = Linear(
      batch: context.samples, inputs: context.inputs[0].count, outputs: dense.outputs, relu: dense.relu,
      backend: context.backend)
    weight = context.variables[0]
    bias = dense.bias.map { _ in context.variables[1] }
    none = Tensor(count: dense.bias == nil ? dense.outputs : 0)
  }

  func forward(_ arguments: borrowing Arguments) {
    let parameters = arguments.parameters
    none.pointer.update(repeating: 0, count: none.count)
    plan.forward(
      arguments.input(), weight: parameters + weight, bias: bias.map { parameters + $0 } ?? UnsafePointer(none.pointer),
      into: arguments.output)
  }

  /// forward was y = x w^T + bias, so dw = dy^T x, dbias = sum of dy, dx = dy w.
  func backward(_ arguments: borrowing Arguments) {
    if let gradients = arguments.gradients {
      plan.backward(
        arguments.gradient, x: arguments.input(), intoWeight: gradients + weight,
        bias: bias.map { gradients + $0 } ?? none.pointer)
    }
    if let dx = arguments.inputGradient() {
      plan.backward(arguments.gradient, weight: arguments.parameters + weight, intoInput: dx)
    }
  }
}
