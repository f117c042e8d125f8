/// The rule that moves the input (METHOD: "rule"). `none` is plain training: no refinement, no target pass.
public enum RuleKind: String, CaseIterable, Sendable {
  case adam, sgd, ademamix, ifgsm, random, none
}
