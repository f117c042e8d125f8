import CKernels
import Graph

/// A stretch of every axis, every `step`th of its positions: Slice, and each output of Split.
package struct Slice: Operator {
  package struct Range: Hashable, Sendable {
    package var start, count, step: Int
    package init(start: Int, count: Int, step: Int = 1) {
      self.start = start
      self.count = count
      self.step = step
    }
  }
  /// Of each axis.
  package var ranges: [Range]

  package init(_ ranges: [Range]) { self.ranges = ranges }

  /// Of one axis, all of the others.
  package init(_ range: Range, axis: Int, of shape: SampleShape) {
    ranges = shape.extents.map { Range(start: 0, count: $0) }
    ranges[axis] = range
  }

  package var kind: String { "Slice" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let x = inputs[0]
    guard ranges.count == x.rank,
      zip(ranges, x.extents).allSatisfy({ range, extent in
        range.count > 0 && range.step > 0 && range.start >= 0 && range.start + (range.count - 1) * range.step < extent
      })
    else { throw GraphError("a slice \(ranges.map { "\($0.start)+\($0.count)x\($0.step)" }) of \(x)") }
    return SampleShape(ranges.map(\.count))
  }
  package var isCheap: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let extents = x[0].shape.extents
    let axes = ranges.indices.filter { ranges[$0].count < extents[$0] }
    guard !axes.isEmpty else { return graph.add("Identity", x) }
    let cut = axes.map { ranges[$0] }
    return graph.add(
      kind,
      [
        x[0].name, graph.constant(cut.map(\.start)),
        graph.constant(cut.map { $0.start + ($0.count - 1) * $0.step + 1 }),
        graph.constant(axes.map { $0 + 1 }), graph.constant(cut.map(\.step)),
      ])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { SliceKernel(self, context) }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order)
  }
}

final class SliceKernel: Kernel {
  private let loop: StridedLoop
  private let start, inputCount, outputCount: Int

  init(_ slice: Slice, _ context: KernelContext) {
    let strides = context.inputs[0].strides
    loop = StridedLoop(walking: context.output, strides: [zip(strides, slice.ranges).map { $0 * $1.step }])
    start = zip(strides, slice.ranges).reduce(0) { $0 + $1.0 * $1.1.start }
    inputCount = context.inputs[0].count
    outputCount = context.output.count
  }

  func forward(_ arguments: borrowing Arguments) {
    for sample in 0..<arguments.samples {
      loop.with {
        ck_copy_strided($0, arguments.input() + sample * inputCount + start, arguments.output + sample * outputCount)
      }
    }
  }

  /// forward took elements out, so dx is dy there and zero elsewhere.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    dx.update(repeating: 0, count: arguments.samples * inputCount)
    for sample in 0..<arguments.samples {
      loop.with { ck_add_strided($0, arguments.gradient + sample * outputCount, dx + sample * inputCount + start) }
    }
  }
}
