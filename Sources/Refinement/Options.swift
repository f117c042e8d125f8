/// The rule that moves the input (METHOD: "rule"). `none` is plain training: no refinement, no target pass.
public enum RuleKind: String, CaseIterable, Sendable {
  case adam, sgd, ademamix, ifgsm, random, none
}

/// What training does with the refined images: their features are the student's targets, or the student trains on them
/// itself (with a rule that goes up the loss: adversarial training).
public enum RefinementObjective: String, CaseIterable, Sendable {
  case distillation, task
}

/// Which loss the inner loop goes down: `sum` gives each sample its own gradient, whatever its batch mates and the
/// number of ranks; `mean` divides by the global batch's sample count (the published form).
public enum LossReduction: String, CaseIterable, Sendable {
  case sum, mean
}

/// The weights w_i of the layers' distillation losses.
public enum LayerWeights: Equatable, Sendable {
  case uniform, cosine, cosineIncreasing
  case list([Double])
}

/// How the features of the refined input are taken: with batch statistics, updating the running ones or not, or
/// with the running statistics.
public enum TargetPass: String, CaseIterable, Sendable {
  case batch
  case batchFrozen = "batch_frozen"
  case running
}

/// l2: sqrt(CHW) F / ||F|| per sample, before the mean, so that shrinking features does not lower the loss.
public enum FeatureNormalization: String, CaseIterable, Sendable {
  case none, l2
}
