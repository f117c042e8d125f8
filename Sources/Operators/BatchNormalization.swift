import Graph
import Kernels

/// y = (x - mean) / sqrt(variance + eps) weight + bias, by channel (the first axis), with the mean and variance of the
/// batch and its positions in training. A lowering may have it add another value of y's shape, and cut at 0.
package struct BatchNormalization: Operator {
  /// The variables' names, each (channels).
  package var weight, bias, mean, variance: String
  package var epsilon: Float
  /// How far the running statistics move towards the batch's.
  package var momentum: Double
  /// By fusion: y = max(... + addend, 0), the addend being a second input.
  package var hasAddend = false
  package var relu = false
  /// By lowering: the running statistics stay, and training normalises by them. No parameter of it trains then.
  package var isFixed = false

  /// Under PyTorch's names in a module `name`.
  package init(_ name: String, epsilon: Float = BatchNorm.epsilon, momentum: Double = BatchNorm.momentum) {
    self.init(
      weight: "\(name).weight", bias: "\(name).bias", mean: "\(name).running_mean", variance: "\(name).running_var",
      epsilon: epsilon, momentum: momentum)
  }

  package init(weight: String, bias: String, mean: String, variance: String, epsilon: Float, momentum: Double) {
    self.weight = weight
    self.bias = bias
    self.mean = mean
    self.variance = variance
    self.epsilon = epsilon
    self.momentum = momentum
  }

  package var kind: String { "BatchNormalization" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank > 0 else { throw GraphError("expected channels, got \(inputs[0])") }
    return inputs[0]
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let channels = [inputs[0][0]]
    return [
      Variable(weight, channels, start: .constant(1)), Variable(bias, channels, start: .constant(0)),
      Variable(mean, channels, kind: .statistic, start: .constant(0)),
      Variable(variance, channels, kind: .statistic, start: .constant(1)),
    ]
  }

  package var scope: Scope { isFixed ? .sample : .statistics }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package func elements(of inputs: [Value], precision: ElementType) -> ElementChoice { .all(precision, of: inputs) }
  package var backwardReads: Operands { isFixed ? .none : .input }
  package var endsInReLU: Bool { relu }
  package func passesGradient(of inputs: [Value], output: Value) -> [Int] { hasAddend ? [1] : [] }
  package var isCheap: Bool { true }

  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    precondition(!relu && !hasAddend, "an export is made before fusion")
    return graph.add(
      kind, [x[0].name, weight, bias, mean, variance],
      ["epsilon": .float(epsilon), "momentum": .float(Float(1 - momentum))])
  }
  package func kernel(_ context: KernelContext) -> any Kernel {
    isFixed ? FixedNormalizationKernel(self, context) : BatchNormalizationKernel(self, context)
  }
  package func memory(_ context: KernelContext) -> MemoryUse {
    BatchNorm.memory(channels: context.output.shape[0])
  }
}

final class BatchNormalizationKernel: StatisticsKernel {
  private let plan: BatchNorm
  /// Positions of a sample.
  private let rows: Int
  private let channels: Int
  private let weight, bias, mean, variance: Int
  private let hasAddend, relu: Bool

  init(_ normalization: BatchNormalization, _ context: KernelContext) {
    let shape = context.output.shape
    rows = shape.count / shape[0]
    channels = shape[0]
    plan = BatchNorm(
      Shape(batch: context.samples, height: rows, width: 1, channels: shape[0]), relu: normalization.relu,
      element: context.output.element, epsilon: normalization.epsilon, momentum: normalization.momentum)
    weight = context.variables[0]
    bias = context.variables[1]
    mean = context.variables[2]
    variance = context.variables[3]
    hasAddend = normalization.hasAddend
    relu = normalization.relu
  }

  func beginForward(_ source: StatisticsSource) { plan.beginForward() }

  func measure(_ arguments: borrowing Arguments) { plan.measure(arguments.x[0]!, rows: arguments.samples * rows) }

  func endForward(_ arguments: borrowing Arguments, _ source: StatisticsSource) {
    let weight = arguments.parameters + weight
    let bias = arguments.parameters + bias
    switch source {
    case .batch(let running):
      plan.endForward(weight: weight, bias: bias, running: running.map { ($0 + mean, $0 + variance) })
    case .given(let given):
      plan.useGiven(weight: weight, bias: bias, mean: given + mean, variance: given + variance)
    }
  }

  func adopt(_ other: any StatisticsKernel) {
    guard let other = other as? BatchNormalizationKernel else { preconditionFailure("of another operator") }
    plan.adopt(other.plan)
  }

  func forward(_ arguments: borrowing Arguments) {
    plan.forward(
      arguments.x[0]!, rows: arguments.samples * rows, addend: hasAddend ? arguments.x[1] : nil, into: arguments.y!)
  }

  func beginBackward() { plan.beginBackward() }

  func gather(_ sources: GradientSources, _ arguments: borrowing Arguments, into d: UnsafeMutableRawPointer) {
    // Without a ReLU nobody keeps y, and nobody reads it.
    plan.mask(
      sources: sources, y: relu ? UnsafeRawPointer(arguments.y!) : arguments.x[0]!, x: arguments.x[0]!,
      rows: arguments.samples * rows, into: d)
  }

  func endBackward(_ arguments: borrowing Arguments) {
    plan.endBackward(
      parameters: arguments.gradients.map { [weight, bias] gradients in (gradients + weight, gradients + bias) })
  }

  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    plan.backward(arguments.dy!, x: arguments.x[0]!, rows: arguments.samples * rows, into: dx)
  }

  func backwardByConstants(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    plan.backwardByConstants(arguments.dy!, count: arguments.samples * rows * channels, into: dx)
  }
}
