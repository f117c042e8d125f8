import CKernels
import Graph

/// The value between stretches of a number along each axis.
package struct Pad: Operator {
  package var before, after: [Int]
  package var value: Float

  package init(before: [Int], after: [Int], value: Float = 0) {
    self.before = before
    self.after = after
    self.value = value
  }

  package var kind: String { "Pad" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard before.count == inputs[0].rank, after.count == before.count, (before + after).allSatisfy({ $0 >= 0 }) else {
      throw GraphError("padding \(before) and \(after) of \(inputs[0])")
    }
    return try SampleShape(checking: inputs[0].extents.indices.map { inputs[0][$0] + before[$0] + after[$0] })
  }
  package var isCheap: Bool { true }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let pads = graph.constant([0] + before + [0] + after)
    return graph.add(kind, [x[0].name, pads, graph.constant(value)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { PadKernel(self, context) }
}

final class PadKernel: Kernel {
  private let loop: StridedLoop
  private let start, inputCount, outputCount: Int
  private let value: Float

  init(_ pad: Pad, _ context: KernelContext) {
    let strides = context.output.strides
    loop = StridedLoop(walking: context.inputs[0], strides: [strides])
    start = zip(strides, pad.before).reduce(0) { $0 + $1.0 * $1.1 }
    inputCount = context.inputs[0].count
    outputCount = context.output.count
    value = pad.value
  }

  func forward(_ arguments: borrowing Arguments) {
    arguments.output.update(repeating: value, count: arguments.samples * outputCount)
    for sample in 0..<arguments.samples {
      let y = arguments.output + sample * outputCount + start
      loop.with { ck_put_strided($0, arguments.input() + sample * inputCount, y) }
    }
  }

  /// forward put x between numbers, so dx is what lies there.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    for sample in 0..<arguments.samples {
      loop.with { ck_copy_strided($0, arguments.gradient + sample * outputCount + start, dx + sample * inputCount) }
    }
  }
}
