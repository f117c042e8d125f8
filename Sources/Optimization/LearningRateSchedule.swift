import Foundation

/// The learning rate of every step: a function of the step, and with `plateau` of how often the rate has dropped.
package struct LearningRateSchedule: Equatable, Sendable {
  package enum Kind: Equatable, Sendable {
    case constant
    /// base (m + (1 - m) (1 + cos(pi s / S)) / 2) over the S steps of all epochs: down to the share m of the base.
    case cosine
    /// base times gamma for every milestone, an epoch counted from 0, that has begun.
    case step(milestones: [Int], gamma: Double)
    /// From the share `start` of base up to base over the share `rise` of the steps, then down to the share m of base,
    /// each along half a cosine: PyTorch's OneCycleLR with two phases.
    case oneCycle(rise: Double, start: Double)
    /// base times gamma for every drop, not below the share m of base (`Plateau`).
    case plateau(gamma: Double)
  }

  private let kind: Kind
  private let base: Double
  private let stepsPerEpoch: Int
  private let steps: Int
  private let warmupSteps: Int
  private let minimum: Double

  /// `minimum`: m, where the rate ends or stays, as a share of `base`.
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
  package subscript(step: Int, drops drops: Int = 0) -> Double {
    if step < warmupSteps { return base * Double(step + 1) / Double(warmupSteps) }
    switch kind {
    case .constant: return base
    case .cosine:
      let whole = base * (1 + cos(.pi * Double(step) / Double(steps))) / 2
      return minimum == 0 ? whole : base * minimum + (1 - minimum) * whole
    case .step(let milestones, let gamma):
      let begun = milestones.count { $0 <= step / stepsPerEpoch }
      return base * pow(gamma, Double(begun))
    case .oneCycle(let rise, let start):
      // PyTorch's last step of the rise, which need not be whole.
      let peak = rise * Double(steps) - 1
      guard Double(step) > peak || peak <= 0 else {
        return Self.cosine(from: start * base, to: base, Double(step) / peak)
      }
      return Self.cosine(from: base, to: minimum * base, min(1, (Double(step) - peak) / (Double(steps - 1) - peak)))
    case .plateau(let gamma): return base * max(pow(gamma, Double(drops)), minimum)
    }
  }

  private static func cosine(from start: Double, to end: Double, _ share: Double) -> Double {
    end + (start - end) / 2 * (1 + cos(.pi * share))
  }
}
