/// What training does with the refined images: their features are the student's targets; the student trains on them
/// itself (with a rule that goes up the loss: adversarial training); what they give is mixed as the images that the
/// student sees, and is its target; or their softened output is a part of the label.
public enum RefinementObjective: String, CaseIterable, Sendable {
  case distillation, task, mixed, soft
}
