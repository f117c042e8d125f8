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

  /// How it goes through a batch.
  var scope: Scope { get }

  /// The orders of axes that its kernel takes and gives.
  func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice

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
}

/// How an operator goes through a batch.
package enum Scope: Sendable {
  /// Sample by sample, so in pieces of any size.
  case sample
  /// All samples at once.
  case batch
  /// In pieces, twice: its kernel (a `StatisticsKernel`) measures the whole batch before it makes the first output.
  case statistics
}

/// Inputs, the output, or both.
package struct Operands: Hashable, Sendable {
  package var inputs: Set<Int>
  package var output: Bool

  package init(inputs: Set<Int> = [], output: Bool = false) {
    self.inputs = inputs
    self.output = output
  }
  package static let none = Operands()
  package static let output = Operands(output: true)
  /// The only input, or the first.
  package static let input = Operands(inputs: [0])

  package func union(_ other: Operands) -> Operands {
    Operands(inputs: inputs.union(other.inputs), output: output || other.output)
  }
}

/// The orders of axes that a kernel takes and gives.
package struct LayoutChoice: Hashable, Sendable {
  package var inputs: [AxisOrder]
  package var output: AxisOrder
  /// The output is the input's memory under another shape or order: nothing is computed.
  package var isView: Bool

  package init(inputs: [AxisOrder], output: AxisOrder, isView: Bool = false) {
    self.inputs = inputs
    self.output = output
    self.isView = isView
  }

  /// All values channels last.
  package static func channelsLast(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: inputs.map { .channelsLast($0.shape.rank) }, output: .channelsLast(output.rank))
  }

  /// All values row-major.
  package static func rowMajor(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: inputs.map { .rowMajor($0.shape.rank) }, output: .rowMajor(output.rank))
  }

  /// Inputs and output in one order: that of the first input that has the output's size (the others broadcast).
  package static func alike(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    let order = (inputs.first { $0.shape == output } ?? inputs[0]).order
    return LayoutChoice(inputs: inputs.map { _ in order }, output: order)
  }

  /// The input in its own order, but with `axis` innermost; the output likewise.
  package static func last(_ axis: Int, of input: Value) -> LayoutChoice {
    let needed = input.order.movingLast(axis)
    let order = input.order.matches(needed, for: input.shape) ? input.order : needed
    return LayoutChoice(inputs: [order], output: needed)
  }
}

/// What most operators are: one input, no variables, sample by sample, element by element.
extension Operator {
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { inputs[0] }
  package func variables(of inputs: [SampleShape]) -> [Variable] { [] }
  package func operations(of inputs: [SampleShape]) -> Int { 0 }
  package var scope: Scope { .sample }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .alike(of: inputs, output: output) }
  package var backwardReads: Operands { .none }
  package var parameterReads: Operands { .none }
  package var endsInReLU: Bool { false }
  package func passesGradient(of inputs: [Value], output: Value) -> [Int] { [] }
  package var isCheap: Bool { false }
}
