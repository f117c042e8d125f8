import CKernels
import Graph

/// y = 1 / (1 + exp(-x))
package struct Sigmoid: Pointwise {
  package init() {}
  package var kind: String { "Sigmoid" }
  package var function: PointwiseFunction { ck_sigmoid }
  package var slope: PointwiseSlope { ck_sigmoid_slope }
  package var slopeReadsOutput: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
}
