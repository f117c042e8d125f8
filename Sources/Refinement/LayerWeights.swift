/// The weights w_i of the layers' distillation losses.
public enum LayerWeights: Equatable, Sendable {
  case uniform, cosine, cosineIncreasing
  case list([Double])
}
