import Kernels

/// One kind of node: what it makes of its inputs' shapes, what it owns, what its backward pass reads, and the kernel
/// that computes it. Layout, first values, operation counts, plans of memory and time, and the printed table ask the
/// operator; nothing else knows which operators there are.
///
/// Shapes are of one sample (`SampleShape`); every value is a batch of samples.
package protocol Operator: Sendable {
  /// As it is printed: ONNX's name where ONNX has one.
  var kind: String { get }

  /// The output's shape. Throws where it cannot take these inputs: what it expects.
  func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape

  /// What it owns, in PyTorch's order.
  func variables(of inputs: [SampleShape]) -> [Variable]

  /// Multiplications and additions of one forward pass of one sample that a matrix product or a convolution does.
  func operations(of inputs: [SampleShape]) -> Int

  /// The same layer with another number of outputs; nil of what has no such number.
  func resized(outputs: Int) -> (any Operator)?

  /// Writes it as nodes of ONNX's operators that read `x`, and returns the name of what they give: that of a node that
  /// it has added. Of what only lowerings make, it is not asked.
  func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String

  /// How it goes through a batch.
  var scope: Scope { get }

  /// The orders of axes that its kernel takes and gives.
  func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice

  /// The types of elements that its kernel takes and gives where the program may compute in `precision`.
  func elements(of inputs: [Value], precision: ElementType) -> ElementChoice

  /// What the backward pass to its inputs reads, beside the gradient of the output.
  var backwardReads: Operands { get }
  /// What the gradients of its parameters need besides.
  var parameterReads: Operands { get }

  /// Whether its output is max(., 0) of something: the gradient is zeroed where the output is not above 0, as it is
  /// gathered. Its kernel's backward pass never sees the rest of it.
  var endsInReLU: Bool { get }

  /// Inputs whose gradient is the output's, element by element; no kernel has to write it.
  func passesGradient(of inputs: [Value], output: Value) -> [Int]

  /// Whether its output costs less to make again than to keep for the backward pass: a pass over memory.
  var isCheap: Bool { get }

  /// Its kernel for batches of one size. An operator whose output is its input as it lies in memory has none.
  func kernel(_ context: KernelContext) -> any Kernel
  /// What that kernel takes, without making it; what comes to a few rows of floats may be left out.
  func memory(_ context: KernelContext) -> MemoryUse
}

/// What most operators are: one input, no variables, sample by sample, element by element.
extension Operator {
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { inputs[0] }
  package func variables(of inputs: [SampleShape]) -> [Variable] { [] }
  package func operations(of inputs: [SampleShape]) -> Int { 0 }
  package func resized(outputs: Int) -> (any Operator)? { nil }
  package var scope: Scope { .sample }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .alike(of: inputs, output: output) }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .all(.float32, of: inputs) }
  package var backwardReads: Operands { .none }
  package var parameterReads: Operands { .none }
  package var endsInReLU: Bool { false }
  package func passesGradient(of inputs: [Value], output: Value) -> [Int] { [] }
  package var isCheap: Bool { false }
  package func memory(_ context: KernelContext) -> MemoryUse { MemoryUse() }
}
