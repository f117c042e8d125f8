import CKernels
import Graph

/// y = x^exponent
package struct Power: Pointwise {
  package var exponent: Float
  package init(_ exponent: Float) { self.exponent = exponent }

  package var kind: String { "Pow" }
  package var function: PointwiseFunction { exponent == 2 ? ck_square : ck_power }
  package var slope: PointwiseSlope { exponent == 2 ? ck_square_slope : ck_power_slope }
  package var constants: (a: Float, b: Float) { (exponent, 0) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, [x[0].name, graph.constant(exponent)])
  }
}
