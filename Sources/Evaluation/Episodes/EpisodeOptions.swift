/// How few-shot episodes are drawn and judged.
package struct EpisodeOptions: Equatable, Sendable {
  package enum Distance: String, CaseIterable, Sendable {
    case euclidean, cosine
  }

  /// Classes of an episode, labelled samples of each, and samples of each to be recognised.
  package var way, shots, queries: Int
  package var episodes: Int
  package var distance: Distance
  package var seed: Int

  package init(
    way: Int = 5, shots: Int = 1, queries: Int = 15, episodes: Int = 600, distance: Distance = .euclidean, seed: Int = 0
  ) {
    self.way = way
    self.shots = shots
    self.queries = queries
    self.episodes = episodes
    self.distance = distance
    self.seed = seed
  }
}
