/// What training does with the refined images: their features are the student's targets, or the student trains on them
/// itself (with a rule that goes up the loss: adversarial training).
public enum RefinementObjective: String, CaseIterable, Sendable {
  case distillation, task
}
