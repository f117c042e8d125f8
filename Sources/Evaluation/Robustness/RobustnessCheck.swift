/// What `icp robustness` measures.
package enum RobustnessCheck: String, CaseIterable, Sendable {
  case corruptions, attacks
}
