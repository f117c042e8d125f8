import CKernels
import Graph
import Kernels

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
