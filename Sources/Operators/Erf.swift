import CKernels
import Graph

/// y = erf(x), the error function
package struct Erf: Pointwise {
  package init() {}
  package var kind: String { "Erf" }
  package var function: PointwiseFunction { ck_erf }
  package var slope: PointwiseSlope { ck_erf_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
