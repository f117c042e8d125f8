import CKernels
import Graph

/// y = log(1 + exp(x))
package struct Softplus: Pointwise {
  package init() {}
  package var kind: String { "Softplus" }
  package var function: PointwiseFunction { ck_softplus }
  package var slope: PointwiseSlope { ck_softplus_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
