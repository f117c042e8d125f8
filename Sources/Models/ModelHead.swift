/// The last layer of a network that starts from weights: the weights' own, or drawn afresh.
public enum ModelHead: String, CaseIterable, Sendable {
  case keep, new
}
