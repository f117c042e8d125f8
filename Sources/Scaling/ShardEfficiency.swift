/// What a number of ranks can come to at best, whatever the machine.
package enum ShardEfficiency {
  /// Shards are not cut: shards / (ranks ceil(shards / ranks)), such as 67 % of 64 shards on 48 ranks.
  package static func quantisation(shards: Int, ranks: Int) -> Double {
    Double(shards) / Double(ranks * ((shards + ranks - 1) / ranks))
  }
}
