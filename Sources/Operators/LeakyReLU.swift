import CKernels
import Graph

/// y = x where x > 0, slope x elsewhere
package struct LeakyReLU: Pointwise {
  package var negativeSlope: Float

  package init(negativeSlope: Float = 0.01) {
    self.negativeSlope = negativeSlope
  }

  package var kind: String { "LeakyRelu" }
  package var function: PointwiseFunction { ck_leaky_relu }
  package var slope: PointwiseSlope { ck_leaky_relu_slope }
  package var constants: (a: Float, b: Float) { (negativeSlope, 0) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, x, ["alpha": .float(negativeSlope)])
  }
}
