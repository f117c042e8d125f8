import CKernels
import Graph

/// y = x sigmoid(x)
package struct SiLU: Pointwise {
  package init() {}
  package var kind: String { "Swish" }
  package var function: PointwiseFunction { ck_silu }
  package var slope: PointwiseSlope { ck_silu_slope }
}
