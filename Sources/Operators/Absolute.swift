import CKernels
import Graph

/// y = |x|
package struct Absolute: Pointwise {
  package init() {}
  package var kind: String { "Abs" }
  package var function: PointwiseFunction { ck_abs }
  package var slope: PointwiseSlope { ck_abs_slope }
}
