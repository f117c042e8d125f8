/// Which parts of the method take part in a step.
package enum Stage: Int, CaseIterable, Sendable {
  /// The task loss alone: the epochs of the warm-up, or a whole run without refinement.
  case plain
  /// The paper's step: refinement, target pass and distillation too.
  case cyclic
}
