import CKernels
import Graph

/// The value repeated along its axes of extent 1.
package struct Expand: Operator {
  package var target: SampleShape
  package init(_ target: SampleShape) { self.target = target }

  package var kind: String { "Expand" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank == target.rank,
      zip(inputs[0].extents, target.extents).allSatisfy({ $0 == 1 || $0 == $1 })
    else { throw GraphError("\(inputs[0]) cannot be repeated to \(target)") }
    return target
  }
  package var isCheap: Bool { true }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, [x[0].name, graph.constant([1] + target.extents)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ExpandKernel(context) }
}

final class ExpandKernel: Kernel {
  private let loop: StridedLoop
  private let inputCount, outputCount: Int

  init(_ context: KernelContext) {
    loop = StridedLoop(walking: context.output, strides: [context.inputs[0].strides])
    inputCount = context.inputs[0].count
    outputCount = context.output.count
  }

  func forward(_ arguments: borrowing Arguments) {
    for sample in 0..<arguments.samples {
      loop.with {
        ck_copy_strided($0, arguments.input() + sample * inputCount, arguments.output + sample * outputCount)
      }
    }
  }

  /// forward repeated elements, so dx is the sum over the repetitions.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    dx.update(repeating: 0, count: arguments.samples * inputCount)
    for sample in 0..<arguments.samples {
      loop.with { ck_add_products($0, 1, arguments.gradient + sample * outputCount, nil, dx + sample * inputCount) }
    }
  }
}
