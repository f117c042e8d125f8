import CKernels
import Graph

/// y = |x|
package struct Absolute: Pointwise {
  package init() {}
  package var kind: String { "Abs" }
  package var function: PointwiseFunction { ck_abs }
  package var slope: PointwiseSlope { ck_abs_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
