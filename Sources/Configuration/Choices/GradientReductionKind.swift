/// How gradients are summed over ranks: in fixed point, whose bits do not depend on the ranks, or in float32.
package enum GradientReductionKind: String, CaseIterable, Sendable {
  case exact, float32
}
