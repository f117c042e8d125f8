/// What `evaluation.final` can name.
package enum FinalCheck: String, CaseIterable, Sendable {
  case corruptions, attacks, episodes
}
