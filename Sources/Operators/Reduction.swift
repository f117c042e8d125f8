import CKernels
import Graph

/// The mean or the sum over some axes: ReduceMean, ReduceSum.
package struct Reduction: Operator {
  package var axes: Set<Int>
  package var isMean: Bool
  package var keepsAxes: Bool

  package init(_ axes: Set<Int>, isMean: Bool, keepsAxes: Bool) {
    self.axes = axes
    self.isMean = isMean
    self.keepsAxes = keepsAxes
  }

  package var kind: String { isMean ? "ReduceMean" : "ReduceSum" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard axes.allSatisfy(inputs[0].extents.indices.contains) else { throw GraphError("axes \(axes) of \(inputs[0])") }
    return SampleShape(
      keepsAxes
        ? inputs[0].extents.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }
        : inputs[0].extents.enumerated().filter { !axes.contains($0.offset) }.map(\.element))
  }

  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: order(inputs[0]))
  }

  /// The input's order, for what is left.
  private func order(_ x: Value) -> AxisOrder {
    guard !keepsAxes else { return x.order }
    let left = x.shape.extents.indices.filter { !axes.contains($0) }
    return AxisOrder(x.order.axes.filter(left.contains).map { left.firstIndex(of: $0)! })
  }

  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(
      kind, [x[0].name, graph.constant(axes.sorted().map { $0 + 1 })], ["keepdims": .integer(keepsAxes ? 1 : 0)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ReductionKernel(self, context) }
}

final class ReductionKernel: Kernel {
  /// Walks x, y beside it; and y's elements repeated.
  private let loop: StridedLoop
  private let scale: Float
  private let inputCount, outputCount: Int

  init(_ reduction: Reduction, _ context: KernelContext) {
    let x = context.inputs[0]
    inputCount = x.count
    outputCount = context.output.count
    scale = reduction.isMean ? Float(outputCount) / Float(inputCount) : 1
    // y's strides along x's axes, 0 along those that are gone.
    var next = 0
    let strides = context.output.strides
    let along = x.shape.extents.indices.map { axis in
      if reduction.axes.contains(axis) {
        if reduction.keepsAxes { next += 1 }
        return 0
      }
      next += 1
      return strides[next - 1]
    }
    loop = StridedLoop(walking: x, strides: [along])
  }

  func forward(_ arguments: borrowing Arguments) {
    arguments.output.update(repeating: 0, count: arguments.samples * outputCount)
    for sample in 0..<arguments.samples {
      loop.with {
        ck_add_products(
          $0, scale, arguments.input() + sample * inputCount, nil, arguments.output + sample * outputCount)
      }
    }
  }

  /// forward was a sum times a scale, so dx = dy scale, repeated.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    for sample in 0..<arguments.samples {
      loop.with { ck_copy_strided($0, arguments.gradient + sample * outputCount, dx + sample * inputCount) }
    }
    if scale != 1 { ck_affine(dx, arguments.samples * inputCount, scale, 0, dx) }
  }
}
