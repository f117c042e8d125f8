/// How the learning rate moves after the warm-up.
package enum ScheduleKind: String, CaseIterable, Sendable {
  case cosine, constant, step
  case oneCycle = "one_cycle"
  case plateau
}
