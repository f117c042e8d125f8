import CKernels
import Graph

/// y = x where x > 0, alpha (exp(x) - 1) elsewhere
package struct ELU: Pointwise {
  package var alpha: Float

  package init(alpha: Float = 1) {
    self.alpha = alpha
  }

  package var kind: String { "Elu" }
  package var function: PointwiseFunction { ck_elu }
  package var slope: PointwiseSlope { ck_elu_slope }
  package var constants: (a: Float, b: Float) { (alpha, 0) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["alpha": .float(alpha)])
  }
}
