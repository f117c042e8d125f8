import CKernels
import Graph

/// y = 1 / x
package struct Reciprocal: Pointwise {
  package init() {}
  package var kind: String { "Reciprocal" }
  package var function: PointwiseFunction { ck_reciprocal }
  package var slope: PointwiseSlope { ck_reciprocal_slope }
  package var slopeReadsOutput: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
