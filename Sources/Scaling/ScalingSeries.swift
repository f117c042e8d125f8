/// How the work grows with the ranks.
package enum ScalingSeries: String, Codable, CaseIterable, Sendable {
  /// A shard a rank, of as many samples whatever the number of ranks: the batch grows, so these are other results.
  case weak
  /// The same batch, in as many shards as the largest count has ranks: the same results, sooner.
  case strong
  /// One rank with that batch in one shard: what the shards of the strong series cost by being small.
  case whole
}
