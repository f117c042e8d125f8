import CKernels
import Graph

/// y = x clip(x + 3, 0, 6) / 6
package struct HardSwish: Pointwise {
  package init() {}
  package var kind: String { "HardSwish" }
  package var function: PointwiseFunction { ck_hard_swish }
  package var slope: PointwiseSlope { ck_hard_swish_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
