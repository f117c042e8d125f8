import Datasets

/// The optimisers: AdamW decays decoupled (Loshchilov and Hutter 2019), SGD coupled, as PyTorch's two.
package enum OptimizerKind: String, CaseIterable, Sendable {
  case adamw, sgd
}

/// What weight decay acts on: every parameter, or only weights of convolutions and dense layers.
package enum DecayScope: String, CaseIterable, Sendable {
  case all, matrices
}

/// How the learning rate moves after the warm-up.
package enum ScheduleKind: String, CaseIterable, Sendable {
  case cosine, constant, step
}

/// How gradients are summed over ranks: in fixed point, whose bits do not depend on the ranks, or in float32.
package enum GradientReductionKind: String, CaseIterable, Sendable {
  case exact, float32
}

/// What a step does whose loss or gradient is not finite.
package enum NonFinitePolicy: String, CaseIterable, Sendable {
  case stop, skip, rollback
}

/// Whose choices the refinement's other keys follow by default.
package enum ICPPreset: String, CaseIterable, Sendable {
  case none
  case publishedCode = "published-code"
}

/// Whether a refined image is kept within what pixels can show.
package enum ClampKind: String, CaseIterable, Sendable {
  case none, pixels
}

/// What chooses the best checkpoint. Nothing of the test set is among them, so that it stays a test.
package enum CheckpointMetric: String, CaseIterable, Sendable {
  case trainLoss = "train_loss"
  case validationAccuracy = "validation_accuracy"
}

/// The logical shards of a global batch: a number, or as many as the first start has ranks.
package enum ShardCount: Equatable, Sendable {
  case count(Int)
  case auto
}

/// What is held out of the training set: nothing, a number of samples, or a fraction of it.
package typealias Validation = DataOptions.Validation

/// What `evaluation.final` can name.
package enum FinalCheck: String, CaseIterable, Sendable {
  case corruptions, attacks, episodes
}

/// Which images are held out, and whether that was said: where it was not, a run that is resumed keeps what it began
/// with.
package struct SplitChoice: Equatable, Sendable {
  package var split: ValidationSplit
  package var isSaid = false

  package init(_ split: ValidationSplit) { self.split = split }

  /// A configuration that says a default and one that leaves it out are equal.
  package static func == (left: SplitChoice, right: SplitChoice) -> Bool { left.split == right.split }
}
