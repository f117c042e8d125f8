import Foundation

/// When the refinement takes part, and how the loss moves from the task to the distillation (METHOD, a(e)).
package struct CyclicSchedule: Sendable {
  package let epochs: Int
  /// Epochs of plain training at the start: W = floor(w E).
  package let warmupEpochs: Int
  package let alphaMinimum: Double

  /// `warmup` is the fraction w, 0...1.
  package init(epochs: Int, warmup: Double, alphaMinimum: Double = 0) {
    self.epochs = epochs
    // 0.29 * 100 is 28.999999999999996: what misses a whole number by rounding alone counts as whole.
    warmupEpochs = Int((warmup * Double(epochs) + 1e-9).rounded(.down))
    self.alphaMinimum = alphaMinimum
  }

  /// From epoch W on the whole cyclic step runs; at e = W alpha is still 1.
  package func isCyclic(_ epoch: Int) -> Bool { epoch >= warmupEpochs }

  /// a(e) = 1 for e <= W, else cos(pi (e - W) / (2 (E - W))), never below the minimum.
  package func alpha(_ epoch: Int) -> Double {
    guard epoch > warmupEpochs else { return 1 }
    let fraction = Double(epoch - warmupEpochs) / Double(2 * (epochs - warmupEpochs))
    return max(cos(.pi * fraction), alphaMinimum)
  }
}

/// A list of layer weights of another length than the taps.
package struct LayerWeightsError: Error, CustomStringConvertible {
  package let weights: Int
  package let taps: Int
  package var description: String {
    "distillation.layer_weights: a list of \(weights) for \(taps) taps; give one weight a tap"
  }
}

extension LayerWeights {
  /// w_i for i = 0..<count: uniform 1; cosine cos(i / (count - 1) pi / 4), from 1 down to 0.707; cosine_increasing the same
  /// backwards; a list as it is. One tap weighs 1.
  package func values(count: Int) throws(LayerWeightsError) -> [Double] {
    let cosine = (0..<count).map { count == 1 ? 1 : cos(Double($0) / Double(count - 1) * .pi / 4) }
    switch self {
    case .uniform: return Array(repeating: 1, count: count)
    case .cosine: return cosine
    case .cosineIncreasing: return cosine.reversed()
    case .list(let weights):
      guard weights.count == count else { throw LayerWeightsError(weights: weights.count, taps: count) }
      return weights
    }
  }
}
