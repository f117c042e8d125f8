import CKernels
import Graph

/// y = exp(x)
package struct Exponential: Pointwise {
  package init() {}
  package var kind: String { "Exp" }
  package var function: PointwiseFunction { ck_exp }
  package var slope: PointwiseSlope { ck_exp_slope }
  package var slopeReadsOutput: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
