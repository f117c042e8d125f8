import Refinement

/// What one shard reports of a step: means over its samples, and counts. Reduced with the gradients, weighted by the shard's
/// share of the batch. Nothing is allocated after `init`.
package struct StepSums: Sendable {
  /// task loss, loss at x_0, loss at x_T, perturbation, the branches' loss, then each tap's loss, then each tap's in the other normalisation.
  package private(set) var means: [Double]
  private let taps: Int
  /// Where the taps' begin.
  private static let tapsStart = 5
  /// Samples whose largest logit is the label's.
  package var correct = 0

  package init(taps: Int) {
    self.taps = taps
    means = Array(repeating: 0, count: Self.tapsStart + 2 * taps)
  }

  /// Sets everything to zero, for the next shard or batch.
  mutating func reset() {
    for index in means.indices { means[index] = 0 }
    correct = 0
  }

  package var taskLoss: Double {
    get { means[0] }
    set { means[0] = newValue }
  }
  package var lossAtStart: Double { means[1] }
  package var lossAtEnd: Double { means[2] }
  /// mean |x_T - x|
  package var perturbation: Double { means[3] }
  /// Weighted as trained on; 0 without branches.
  package var branchLoss: Double {
    get { means[4] }
    set { means[4] = newValue }
  }
  /// mean((F_i - F'_i)^2) of each tap, not weighted.
  package var layerLosses: ArraySlice<Double> { means[Self.tapsStart..<Self.tapsStart + taps] }
  /// The same with the other normalisation, on logged steps.
  package var otherLayerLosses: ArraySlice<Double> { means[(Self.tapsStart + taps)...] }

  mutating func record(_ refined: Refiner.Result, samples: Int, elements: Int) {
    means[1] = refined.lossAtStart / Double(samples)
    means[2] = (refined.lossAtEnd ?? 0) / Double(samples)
    means[3] = refined.movement / Double(elements)
  }

  mutating func record(layerLoss: Double, tap: Int) { means[Self.tapsStart + tap] = layerLoss }
  mutating func record(otherLayerLoss: Double, tap: Int) { means[Self.tapsStart + taps + tap] = otherLayerLoss }

  /// Takes the batch's means, of the same taps, from the reduction.
  package mutating func setMean(_ index: Int, _ value: Double) { means[index] = value }
}
