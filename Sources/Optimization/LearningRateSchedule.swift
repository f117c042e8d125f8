import Foundation

/// The learning rate of every step: a function of the step alone, so a resumed run needs no state for it.
package struct LearningRateSchedule: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case constant
    /// base (m + (1 - m) (1 + cos(pi s / S)) / 2) over the S steps of all epochs: down to the share m of the base.
    case cosine
    /// base times gamma for every milestone, an epoch counted from 0, that has begun.
    case step(milestones: [Int], gamma: Double)
  }

  private let kind: Kind
  private let base: Double
  private let stepsPerEpoch: Int
  private let steps: Int
  private let warmupSteps: Int
  private let minimum: Double

  /// `minimum`: where the cosine ends, as a share of `base`.
  package init(
    kind: Kind, base: Double, epochs: Int, stepsPerEpoch: Int, warmupEpochs: Int = 0, minimum: Double = 0
  ) {
    self.minimum = minimum
    self.kind = kind
    self.base = base
    self.stepsPerEpoch = stepsPerEpoch
    steps = epochs * stepsPerEpoch
    warmupSteps = warmupEpochs * stepsPerEpoch
  }

  /// The rate of step s, from 0. During a warm-up of S_w steps it is base (s + 1) / S_w; after it the
  /// schedule goes on at its own s, as if there had been no warm-up: `warmup_epochs` changes the start of a
  /// run and nothing else. (So with `cosine` it comes down a little from base where the warm-up ends.)
  package subscript(step: Int) -> Double {
    if step < warmupSteps { return base * Double(step + 1) / Double(warmupSteps) }
    switch kind {
    case .constant: return base
    case .cosine:
      let whole = base * (1 + cos(.pi * Double(step) / Double(steps))) / 2
      return minimum == 0 ? whole : base * minimum + (1 - minimum) * whole
    case .step(let milestones, let gamma):
      let begun = milestones.count { $0 <= step / stepsPerEpoch }
      return base * pow(gamma, Double(begun))
    }
  }
}
