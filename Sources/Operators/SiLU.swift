import CKernels
import Graph

/// y = x sigmoid(x)
package struct SiLU: Pointwise {
  package init() {}
  package var kind: String { "Swish" }
  package var function: PointwiseFunction { ck_silu }
  package var slope: PointwiseSlope { ck_silu_slope }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    // ONNX has it from operator set 24 on.
    graph.add("Mul", [x[0].name, graph.add("Sigmoid", x)])
  }
}
