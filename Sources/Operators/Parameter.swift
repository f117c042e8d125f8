import Graph

/// A parameter as a value, the same for every sample: a class token.
package struct Parameter: Operator {
  package var variable: Variable
  package var target: SampleShape

  package init(_ variable: Variable, shape: SampleShape) {
    self.variable = variable
    target = shape
  }

  package var kind: String { "Parameter" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape { target }
  package func variables(of inputs: [SampleShape]) -> [Variable] { [variable] }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice { .rowMajor(of: inputs, output: output) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.repeated(variable.name, as: target)
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ParameterKernel(context) }
}

final class ParameterKernel: Kernel {
  private let start, count: Int

  init(_ context: KernelContext) {
    start = context.variables[0]
    count = context.output.count
  }

  func forward(_ arguments: borrowing Arguments) {
    for sample in 0..<arguments.samples {
      (arguments.output + sample * count).update(from: arguments.parameters + start, count: count)
    }
  }

  /// forward copied the parameter to every sample, so its gradient is the sum of theirs.
  func backward(_ arguments: borrowing Arguments) {
    guard let gradients = arguments.gradients else { return }
    for element in 0..<count {
      var sum = 0.0
      for sample in 0..<arguments.samples { sum += Double(arguments.gradient[sample * count + element]) }
      gradients[start + element] = (arguments.isFirst ? 0 : gradients[start + element]) + Float(sum)
    }
  }
}
