/// Whose weights the target pass has: the student's own, or their average (`training.ema`).
public enum TargetTeacher: String, CaseIterable, Sendable {
  case student, ema
}
