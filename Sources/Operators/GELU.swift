import CKernels
import Graph

/// y = x P(X <= x) of a standard normal X: by the error function, or by its approximation with tanh.
package struct GELU: Pointwise {
  package var isApproximate: Bool
  package init(isApproximate: Bool = false) { self.isApproximate = isApproximate }

  package var kind: String { "Gelu" }
  package var function: PointwiseFunction { isApproximate ? ck_gelu_tanh : ck_gelu }
  package var slope: PointwiseSlope { isApproximate ? ck_gelu_tanh_slope : ck_gelu_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["approximate": .text(isApproximate ? "tanh" : "none")])
  }
}
