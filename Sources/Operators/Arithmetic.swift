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

/// A slope of y = f(a, b) by one operand.
package enum Slope {
  case constant(Float)
  case otherOperand
  /// A function of a and b.
  case function(ArithmeticFunction)
}

/// An operand that is the operator's own, the same for all samples.
package struct OwnOperand: Sendable {
  package enum Content: Sendable {
    case parameter(Variable)
    case constant([Float])
  }
  package var content: Content
  /// Its axes as a sample's, row-major in memory.
  package var shape: SampleShape
  package var isFirst: Bool

  package init(_ content: Content, shape: SampleShape, isFirst: Bool = false) {
    self.content = content
    self.shape = shape
    self.isFirst = isFirst
  }

  /// A number.
  package init(_ value: Float, rank: Int, isFirst: Bool = false) {
    self.init(.constant([value]), shape: SampleShape(Array(repeating: 1, count: rank)), isFirst: isFirst)
  }
}

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

  package func kernel(_ context: KernelContext) -> any Kernel { ArithmeticKernel(self, context) }
}

final class ArithmeticKernel: Kernel {
  private enum Source {
    case input(Int)
    case parameter(Int)
    case constant(Tensor)
  }

  private struct Operand {
    var source: Source
    var value: Value
    /// A sample's elements; 0 where all samples share them.
    var stride: Int
    var slope: Slope
    /// Walks the output: the operand, then what its slope reads.
    var loop: StridedLoop
    var isWanted: Bool
  }

  private let function: ArithmeticFunction
  private let forwardLoop: StridedLoop
  private let operands: [Operand]
  private let count: Int
  /// A sample's slopes, and a sample's part of a shared operand's gradient.
  private let slopes, part: Tensor

  init(_ arithmetic: some Arithmetic, _ context: KernelContext) {
    function = arithmetic.function
    count = context.output.count
    var sources = context.inputs.enumerated().map { (Source.input($0.offset), $0.element) }
    if let own = arithmetic.own {
      let value = Value(own.shape, order: .rowMajor(own.shape.rank))
      let source: Source
      switch own.content {
      case .parameter: source = .parameter(context.variables[0])
      case .constant(let values):
        let tensor = Tensor(count: values.count)
        for (index, value) in values.enumerated() { tensor.pointer[index] = value }
        source = .constant(tensor)
      }
      sources.insert((source, value), at: own.isFirst ? 0 : 1)
    }
    let strides = sources.map { $0.1.strides }
    let output = context.output
    forwardLoop = StridedLoop(walking: output, strides: strides)
    let passed = arithmetic.passesGradient(of: context.inputs, output: output)
    operands = sources.indices.map { index in
      let slope = index == 0 ? arithmetic.slopes.a : arithmetic.slopes.b
      let factor: [Int]
      switch slope {
      case .constant: factor = output.strides
      case .otherOperand: factor = strides[1 - index]
      case .function: factor = output.strides
      }
      let isWanted: Bool
      var stride = sources[index].1.count
      switch sources[index].0 {
      case .input(let input): isWanted = context.wantsGradient[input] && !passed.contains(input)
      case .parameter:
        isWanted = context.wantsParameterGradients
        stride = 0
      case .constant:
        isWanted = false
        stride = 0
      }
      return Operand(
        source: sources[index].0, value: sources[index].1, stride: stride, slope: slope,
        loop: StridedLoop(walking: output, strides: [strides[index], factor]), isWanted: isWanted)
    }
    slopes = Tensor(count: count)
    part = Tensor(count: sources.map { $0.1.count }.max() ?? 0)
  }

  private func pointer(_ index: Int, _ arguments: borrowing Arguments) -> UnsafePointer<Float> {
    switch operands[index].source {
    case .input(let input): arguments.input(input)
    case .parameter(let start): arguments.parameters + start
    case .constant(let tensor): UnsafePointer(tensor.pointer)
    }
  }

  /// y = f(a, b)
  func forward(_ arguments: borrowing Arguments) {
    let a = pointer(0, arguments)
    let b = pointer(1, arguments)
    for sample in 0..<arguments.samples {
      forwardLoop.with {
        function(
          $0, a + sample * operands[0].stride, b + sample * operands[1].stride, arguments.output + sample * count)
      }
    }
  }

  /// forward was y = f(a, b), so da = dy times the slope, summed where a was repeated.
  func backward(_ arguments: borrowing Arguments) {
    for index in operands.indices where operands[index].isWanted {
      switch operands[index].source {
      case .input(let input):
        guard let dx = arguments.inputGradient(input) else { continue }
        let size = operands[index].value.count
        dx.update(repeating: 0, count: arguments.samples * size)
        for sample in 0..<arguments.samples { add(index, sample, arguments, into: dx + sample * size) }
      case .parameter(let start):
        guard let gradients = arguments.gradients else { continue }
        let size = operands[index].value.count
        let total = gradients + start
        if arguments.isFirst { total.update(repeating: 0, count: size) }
        for sample in 0..<arguments.samples {
          part.pointer.update(repeating: 0, count: size)
          add(index, sample, arguments, into: part.pointer)
          for element in 0..<size { total[element] += part.pointer[element] }
        }
      case .constant: continue
      }
    }
  }

  private func add(
    _ index: Int, _ sample: Int, _ arguments: borrowing Arguments, into result: UnsafeMutablePointer<Float>
  ) {
    let operand = operands[index]
    let dy = arguments.gradient + sample * count
    switch operand.slope {
    case .constant(let value): operand.loop.with { ck_add_products($0, value, dy, nil, result) }
    case .otherOperand:
      let other = 1 - index
      let factor = pointer(other, arguments) + sample * operands[other].stride
      operand.loop.with { ck_add_products($0, 1, dy, factor, result) }
    case .function(let slope):
      let a = pointer(0, arguments) + sample * operands[0].stride
      let b = pointer(1, arguments) + sample * operands[1].stride
      forwardLoop.with { slope($0, a, b, slopes.pointer) }
      operand.loop.with { ck_add_products($0, 1, dy, slopes.pointer, result) }
    }
  }
}
