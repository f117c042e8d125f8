import Refinement

/// What one shard reports of a step: means over its samples, and counts. Reduced with the gradients, weighted by the shard's
/// share of the batch.
package struct StepSums: Sendable {
  package var taskLoss = 0.0
  /// mean((F_i - F'_i)^2) of each tap, not weighted.
  package var layerLosses: [Double]
  /// The same with the other normalisation, on logged steps.
  package var otherLayerLosses: [Double]
  package var lossAtStart = 0.0
  package var lossAtEnd = 0.0
  /// mean |x_T - x|
  package var perturbation = 0.0
  /// Samples whose largest logit is the label's.
  package var correct = 0

  package init(taps: Int) {
    layerLosses = Array(repeating: 0, count: taps)
    otherLayerLosses = layerLosses
  }

  mutating func record(_ refined: Refiner.Result, samples: Int, elements: Int) {
    lossAtStart = refined.lossAtStart / Double(samples)
    lossAtEnd = (refined.lossAtEnd ?? 0) / Double(samples)
    perturbation = refined.movement / Double(elements)
  }

  /// The means in a fixed order, for the reduction.
  package var means: [Double] {
    get { [taskLoss, lossAtStart, lossAtEnd, perturbation] + layerLosses + otherLayerLosses }
    set {
      (taskLoss, lossAtStart, lossAtEnd, perturbation) = (newValue[0], newValue[1], newValue[2], newValue[3])
      let taps = (newValue.count - 4) / 2
      layerLosses = Array(newValue[4..<4 + taps])
      otherLayerLosses = Array(newValue[(4 + taps)...])
    }
  }
}
