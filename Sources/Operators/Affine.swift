import CKernels
import Graph

/// y = scale x + shift: Neg, and sums and products with a number
package struct Affine: Pointwise {
  package var scale: Float
  package var shift: Float

  package init(scale: Float = 1, shift: Float = 0) {
    self.scale = scale
    self.shift = shift
  }

  package var kind: String { "Affine" }
  package var function: PointwiseFunction { ck_affine }
  package var slope: PointwiseSlope { ck_affine_slope }
  package var constants: (a: Float, b: Float) { (scale, shift) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let product = scale == 1 && shift != 0 ? x[0].name : graph.add("Mul", [x[0].name, graph.constant(scale)])
    return shift == 0 ? product : graph.add("Add", [product, graph.constant(shift)])
  }
}
