/// What training does with the refined images: their features are the student's targets; the student trains on them
/// itself (with a rule that goes up the loss: adversarial training); or what they give is mixed as the images that the
/// student sees, and is its target.
public enum RefinementObjective: String, CaseIterable, Sendable {
  case distillation, task, mixed
}
