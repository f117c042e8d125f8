import Datasets

/// The logical shards of a global batch: a number, or as many as the first start has ranks.
package enum ShardCount: Equatable, Sendable {
  case count(Int)
  case auto
}

/// What is held out of the training set: nothing, a number of samples, or a fraction of it.
package typealias Validation = DataOptions.Validation
