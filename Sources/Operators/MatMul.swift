import CKernels
import Graph
import Kernels

/// y = a b of two values' last two axes, for each position of the axes before.
package struct MatMul: Operator {
  package init() {}
  package var kind: String { "MatMul" }

  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    let a = inputs[0].extents
    let b = inputs[1].extents
    guard a.count >= 2, a.count == b.count, a.dropLast(2) == b.dropLast(2), a.last == b[b.count - 2] else {
      throw GraphError("\(inputs[0]) times \(inputs[1])")
    }
    return try SampleShape(checking: Array(a.dropLast()) + [b.last!])
  }

  package func operations(of inputs: [SampleShape]) -> Int { 2 * inputs[0].count * inputs[1].extents.last! }

  /// b as it is or transposed, whichever it lies in memory as.
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    let plain = AxisOrder.rowMajor(output.rank)
    let transposed = AxisOrder(Array(0..<output.rank - 2) + [output.rank - 1, output.rank - 2])
    let second = inputs[1].order.matches(transposed, for: inputs[1].shape) ? transposed : plain
    return LayoutChoice(inputs: [plain, second], output: plain)
  }

  package var backwardReads: Operands { Operands(inputs: [0, 1]) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
  package func kernel(_ context: KernelContext) -> any Kernel { MatMulKernel(context) }
}

final class MatMulKernel: Kernel {
  private let products, m, n, k: Int
  private let isTransposed: Bool
  private let backend: ck_backend

  init(_ context: KernelContext) {
    let rank = context.output.shape.rank
    m = context.output.shape[rank - 2]
    n = context.output.shape[rank - 1]
    k = context.inputs[0].shape[rank - 1]
    products = context.output.count / (m * n)
    isTransposed = !context.inputs[1].order.matches(.rowMajor(rank), for: context.inputs[1].shape)
    backend = context.backend == .onednn ? CK_ONEDNN : CK_OPENBLAS
  }

  private func multiply(
    _ kind: ck_product_kind, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>
  ) {
    ck_product(backend, kind, Int32(m), Int32(n), Int32(k), a, b, c)
  }

  func forward(_ arguments: borrowing Arguments) {
    for index in 0..<arguments.samples * products {
      multiply(
        isTransposed ? CK_NT : CK_NN, m, n, k, arguments.input(0) + index * m * k, arguments.input(1) + index * k * n,
        arguments.output + index * m * n)
    }
  }

  /// forward was y = a b, so da = dy b^T and db = a^T dy; of b transposed, db^T = dy^T a.
  func backward(_ arguments: borrowing Arguments) {
    for index in 0..<arguments.samples * products {
      let dy = arguments.gradient + index * m * n
      if let da = arguments.inputGradient(0) {
        multiply(isTransposed ? CK_NN : CK_NT, m, k, n, dy, arguments.input(1) + index * k * n, da + index * m * k)
      }
      if let db = arguments.inputGradient(1) {
        let a = arguments.input(0) + index * m * k
        if isTransposed {
          multiply(CK_TN, n, k, m, dy, a, db + index * k * n)
        } else {
          multiply(CK_TN, k, n, m, a, dy, db + index * k * n)
        }
      }
    }
  }
}
