import CKernels
import Graph

/// y = alpha x + beta, at least 0 and at most 1
package struct HardSigmoid: Pointwise {
  package var alpha: Float
  package var beta: Float

  package init(alpha: Float = 1.0 / 6, beta: Float = 0.5) {
    self.alpha = alpha
    self.beta = beta
  }

  package var kind: String { "HardSigmoid" }
  package var function: PointwiseFunction { ck_hard_sigmoid }
  package var slope: PointwiseSlope { ck_hard_sigmoid_slope }
  package var constants: (a: Float, b: Float) { (alpha, beta) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["alpha": .float(alpha), "beta": .float(beta)])
  }
}
