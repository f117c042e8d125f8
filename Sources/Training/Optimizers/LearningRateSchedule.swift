import Foundation

/// The learning rate of every step, a function of the step alone.
package struct LearningRateSchedule: Sendable {
  package enum Kind: Sendable, Equatable {
    case constant
    /// lr (1 + cos(pi s / S)) / 2 over the S steps of the run.
    case cosine
    /// lr times gamma for every milestone (an epoch) that has begun.
    case step(milestones: [Int], gamma: Double)
  }

  private let kind: Kind
  private let base: Double
  private let stepsPerEpoch: Int
  private let steps: Int
  private let warmupSteps: Int

  package init(kind: Kind, base: Double, epochs: Int, stepsPerEpoch: Int, warmupEpochs: Int = 0) {
    (self.kind, self.base, self.stepsPerEpoch) = (kind, base, stepsPerEpoch)
    steps = epochs * stepsPerEpoch
    warmupSteps = warmupEpochs * stepsPerEpoch
  }

  /// Step s from 0. During the warm-up of S_w steps lr (s + 1) / S_w; behind it the schedule as if there had been none, so
  /// that `warmup_epochs` changes the start of a run and nothing else.
  package subscript(step: Int) -> Double {
    if step < warmupSteps { return base * Double(step + 1) / Double(warmupSteps) }
    switch kind {
    case .constant: return base
    case .cosine: return base * (1 + cos(.pi * Double(step) / Double(steps))) / 2
    case .step(let milestones, let gamma):
      let epoch = step / stepsPerEpoch
      return milestones.reduce(base) { rate, milestone in epoch >= milestone ? rate * gamma : rate }
    }
  }
}
