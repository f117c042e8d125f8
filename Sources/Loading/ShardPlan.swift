import Datasets
/// How contiguous runs are cut, of samples into shards and of shards into ranks.
package enum ShardPlan {
  /// Part number `part` of `range` in `parts` parts whose sizes differ by at most one, larger ones first:
  /// `part(0, of: 3, in: 0..<7) == 0..<3`, then `3..<5` and `5..<7`.
  package static func part(_ part: Int, of parts: Int, in range: Range<Int>) -> Range<Int> {
    precondition(part >= 0 && part < parts, "part \(part) of \(parts)")
    let (size, larger) = range.count.quotientAndRemainder(dividingBy: parts)
    let start = range.lowerBound + part * size + min(part, larger)
    return start..<start + size + (part < larger ? 1 : 0)
  }

  /// The shards that a rank runs, one after the other; at least one, since ranks <= shards:
  /// `shards(ofRank: 0, of: 3, shards: 4) == 0..<1`, then `1..<2` and `2..<4`.
  package static func shards(ofRank rank: Int, of ranks: Int, shards: Int) -> Range<Int> {
    precondition(rank >= 0 && rank < ranks && ranks <= shards, "rank \(rank) of \(ranks), \(shards) shards")
    return rank * shards / ranks..<(rank + 1) * shards / ranks
  }
}
