/// Which of a checkpoint's weights are meant: those of its step, or their average over the steps (`training.ema`).
package enum WeightsKind: String, CaseIterable, Sendable {
  case plain, ema
}
