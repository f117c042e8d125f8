/// Whether measured pictures are cut to the network's shape, or squashed.
public enum EvaluationCrop: String, CaseIterable, Sendable {
  case center, none
}
