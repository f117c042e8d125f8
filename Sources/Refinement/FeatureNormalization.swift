/// l2: sqrt(CHW) F / ||F|| per sample, before the mean, so that shrinking features does not lower the loss.
public enum FeatureNormalization: String, CaseIterable, Sendable {
  case none, l2
}
