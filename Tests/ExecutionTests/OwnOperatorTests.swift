import Execution
import GraphSupport
import Graph
import Kernels
import Models
import Operators
import Testing

/// y = a x^2 with a parameter a a channel: an operator that the product does not know.
struct Square: Operator {
  var kind: String { "Square" }
  func variables(of inputs: [SampleShape]) -> [Variable] {
    [Variable("square.scale", [inputs[0][0]], start: .constant(2))]
  }
  func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .channelsLast(of: inputs, output: output) }
  var backwardReads: Operands { .input }
  var parameterReads: Operands { .input }
  func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add("Mul", [graph.add("Pow", [x[0].name, graph.constant(2)]), graph.constant([2, 2], shape: [2, 1, 1])])
  }
  func kernel(_ context: KernelContext) -> any Kernel { SquareKernel(context) }
}

final class SquareKernel: Kernel {
  let channels, count, scale: Int
  init(_ context: KernelContext) {
    channels = context.output.shape[0]
    count = context.output.count
    scale = context.variables[0]
  }
  func forward(_ arguments: borrowing Arguments) {
    let x = arguments.input()
    for i in 0..<arguments.samples * count {
      arguments.output[i] = arguments.parameters[scale + i % channels] * x[i] * x[i]
    }
  }
  func backward(_ arguments: borrowing Arguments) {
    let x = arguments.input()
    if let gradients = arguments.gradients {
      if arguments.isFirst { (gradients + scale).update(repeating: 0, count: channels) }
      for i in 0..<arguments.samples * count { gradients[scale + i % channels] += arguments.gradient[i] * x[i] * x[i] }
    }
    guard let dx = arguments.inputGradient() else { return }
    for i in 0..<arguments.samples * count {
      dx[i] = 2 * arguments.parameters[scale + i % channels] * x[i] * arguments.gradient[i]
    }
  }
}

@Suite struct `An operator from outside` {
  @Test func `runs, and is differentiated, in both executors`() throws {
    var network = Network(input: SampleShape(2, 3, 3))
    let square = try network.append(Square(), named: "square", reading: 0)
    let pooled = try network.append(GlobalAveragePool(), named: "pool", reading: square)
    let logits = try network.append(Dense("fc", outputs: 3), named: "fc", reading: pooled)
    network.endTrunk(logits: logits, features: pooled)
    try GradientCheck(network, samples: 5, pieceSize: 2).expectCentralDifferences(within: 2e-3)
  }
}
