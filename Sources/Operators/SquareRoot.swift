import CKernels
import Graph

/// y = sqrt(x)
package struct SquareRoot: Pointwise {
  package init() {}
  package var kind: String { "Sqrt" }
  package var function: PointwiseFunction { ck_sqrt }
  package var slope: PointwiseSlope { ck_sqrt_slope }
  package var slopeReadsOutput: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
