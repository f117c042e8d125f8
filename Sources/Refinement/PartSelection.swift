/// Which of a shard's samples are refined where not all are: any; those whose label is least ahead in the student's
/// logits; or first those that the student has learned, at more than one half.
public enum PartSelection: String, CaseIterable, Sendable {
  case chance, margin, learned
}
