import CKernels
import Graph
import Kernels

/// y = f(a, b) element by element; where an operand has extents of 1, it is repeated. One operand may be the operator's
/// own: a parameter (a layer's scale, a position embedding) or a constant.
package protocol Arithmetic: Operator {
  var own: OwnOperand? { get }
  var function: ArithmeticFunction { get }
  /// dy/da and dy/db.
  var slopes: (a: Slope, b: Slope) { get }
}

package typealias ArithmeticFunction =
  @convention(c) (
    UnsafePointer<ck_loop>?, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?
  ) -> Void

extension Arithmetic {
  private func shapes(_ inputs: [SampleShape]) -> [SampleShape] {
    guard let own else { return inputs }
    return own.isFirst ? [own.shape] + inputs : inputs + [own.shape]
  }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let operands = shapes(inputs)
    guard operands.count == 2, operands[0].rank == operands[1].rank else {
      throw GraphError(
        "expected two operands of equal rank, got \(operands.map(\.description).joined(separator: ", "))")
    }
    var extents: [Int] = []
    for (a, b) in zip(operands[0].extents, operands[1].extents) {
      guard a == b || a == 1 || b == 1 else { throw GraphError("\(operands[0]) and \(operands[1]) do not go together") }
      extents.append(max(a, b))
    }
    return try SampleShape(checking: extents)
  }

  package func variables(of inputs: [SampleShape]) -> [Variable] {
    if case .parameter(let variable) = own?.content { [variable] } else { [] }
  }

  package var isCheap: Bool { true }

  package var backwardReads: Operands {
    if own != nil {
      if case .function = own!.isFirst ? slopes.b : slopes.a { return .input }
      return .none
    }
    var reads: Set<Int> = []
    if case .otherOperand = slopes.a { reads.insert(1) }
    if case .otherOperand = slopes.b { reads.insert(0) }
    if case .function = slopes.a { reads = [0, 1] }
    if case .function = slopes.b { reads = [0, 1] }
    return Operands(inputs: reads)
  }

  package var parameterReads: Operands {
    guard let own else { return .none }
    if case .constant = own.isFirst ? slopes.a : slopes.b { return .none }
    return .input
  }

  package func passesGradient(of inputs: [Value], output: Value) -> [Int] {
    inputs.indices.filter { input in
      let isFirst = own.map { !$0.isFirst } ?? (input == 0)
      guard case .constant(1) = isFirst ? slopes.a : slopes.b else { return false }
      return inputs[input].shape == output.shape
    }
  }

  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    guard let own else { return graph.add(kind, x) }
    let operand: String
    switch own.content {
    case .parameter(let variable): operand = variable.name
    case .constant(let values): operand = graph.constant(values, shape: own.shape.extents)
    }
    return graph.add(kind, own.isFirst ? [operand, x[0].name] : [x[0].name, operand])
  }

  package func kernel(_ context: KernelContext) -> any Kernel { ArithmeticKernel(self, context) }
}
