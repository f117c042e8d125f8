/// Down the loss of which label images move: the one that training has, or the one that the frozen network gives the
/// image before it moves, which a wrong label does not mislead.
public enum RefinementLabel: String, CaseIterable, Sendable {
  case given, predicted
}
