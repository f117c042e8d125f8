/// Every part of the method and every baseline, in the order in which they are applied. A new one is a line here.
let methodParts: [any MethodPart.Type] = [
  Mixup.self,
  CutMix.self,
  PastPredictions.self,
  EarlyLearning.self,
  AdversarialTraining.self,
  SharpnessAwareMinimization.self,
  BranchTeaching.self,
  StrayGradient.self,
  FeatureDistillation.self,
  LateRefinement.self,
  MixedDistillation.self,
  SoftTargets.self,
]
