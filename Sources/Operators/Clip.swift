import CKernels
import Graph

/// y = x, at least `minimum` and at most `maximum`
package struct Clip: Pointwise {
  package var minimum: Float
  package var maximum: Float

  package init(minimum: Float, maximum: Float) {
    self.minimum = minimum
    self.maximum = maximum
  }

  package var kind: String { "Clip" }
  package var function: PointwiseFunction { ck_clip }
  package var slope: PointwiseSlope { ck_clip_slope }
  package var constants: (a: Float, b: Float) { (minimum, maximum) }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    let bounds = [minimum, maximum].map { $0.isFinite ? graph.constant($0) : "" }
    return graph.add(kind, [x[0].name] + bounds)
  }
}
