import CKernels
import Graph

/// Values one after the other along an axis: Concat.
package struct Concatenation: Operator {
  package var axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: String { "Concat" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    var extents = inputs[0].extents
    guard extents.indices.contains(axis) else { throw GraphError("axis \(axis) of \(inputs[0])") }
    extents[axis] = 0
    for input in inputs {
      guard input.rank == extents.count,
        input.extents.indices.allSatisfy({ $0 == axis || input[$0] == extents[$0] })
      else { throw GraphError("\(inputs.map(\.description).joined(separator: ", ")) along axis \(axis)") }
      extents[axis] += input[axis]
    }
    return try SampleShape(checking: extents)
  }

  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    // Most of it stays in its order.
    let order = inputs.max { $0.count < $1.count }!.order
    return LayoutChoice(inputs: inputs.map { _ in order }, output: order)
  }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["axis": .integer(axis + 1)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { ConcatenationKernel(self, context) }
}

final class ConcatenationKernel: Kernel {
  /// Of each input, blocks that lie together: floats of one, and where it goes in the output's.
  private let parts: [(size: Int, start: Int)]
  private let blocks, size: Int

  init(_ concatenation: Concatenation, _ context: KernelContext) {
    let output = context.output.split(at: concatenation.axis)
    blocks = output.outer
    size = output.extent * output.inner
    var start = 0
    parts = context.inputs.map { input in
      let size = input.shape[concatenation.axis] * output.inner
      defer { start += size }
      return (size, start)
    }
  }

  func forward(_ arguments: borrowing Arguments) {
    for (index, part) in parts.enumerated() {
      ck_copy_blocks(
        arguments.input(index), arguments.samples * blocks, part.size, part.size, size, arguments.output + part.start)
    }
  }

  /// forward copied blocks, so backward copies them back.
  func backward(_ arguments: borrowing Arguments) {
    for (index, part) in parts.enumerated() {
      guard let dx = arguments.inputGradient(index) else { continue }
      ck_copy_blocks(arguments.gradient + part.start, arguments.samples * blocks, part.size, size, part.size, dx)
    }
  }
}
