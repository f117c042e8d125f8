import CKernels
import Graph

/// y = tanh(x)
package struct Tanh: Pointwise {
  package init() {}
  package var kind: String { "Tanh" }
  package var function: PointwiseFunction { ck_tanh }
  package var slope: PointwiseSlope { ck_tanh_slope }
  package var slopeReadsOutput: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
