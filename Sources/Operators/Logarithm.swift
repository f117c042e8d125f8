import CKernels
import Graph

/// y = log(x)
package struct Logarithm: Pointwise {
  package init() {}
  package var kind: String { "Log" }
  package var function: PointwiseFunction { ck_log }
  package var slope: PointwiseSlope { ck_log_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
