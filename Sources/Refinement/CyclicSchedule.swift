import Foundation
import Kernels
import Runtime

/// When the refinement takes part, and how the loss moves from the task to the distillation (METHOD, a(e)).
package struct CyclicSchedule: Equatable, Sendable {
  package let epochs: Int
  /// Epochs of plain training at the start, W = floor(w E).
  package let warmupEpochs: Int
  package let alphaMinimum: Double

  /// `warmup` is the fraction w, 0...1; `alphaMinimum` 0...1.
  package init(epochs: Int, warmup: Double, alphaMinimum: Double = 0) {
    precondition(epochs >= 0 && (0...1).contains(warmup), "a warm-up of \(warmup) of \(epochs) epochs")
    self.epochs = epochs
    self.alphaMinimum = alphaMinimum
    warmupEpochs = Int(fraction: warmup, of: epochs)
  }

  /// Whether epoch e, from 0, runs the whole cyclic step: from W on.
  package func isCyclic(_ epoch: Int) -> Bool { epoch >= warmupEpochs }

  /// The weight of the task loss: 1 for e <= W, else cos(pi (e - W) / (2 (E - W))), never below the minimum.
  /// At e = W it is 1 although the cyclic step runs.
  package func alpha(_ epoch: Int) -> Double {
    guard epoch > warmupEpochs else { return 1 }
    let fraction = Double(epoch - warmupEpochs) / Double(epochs - warmupEpochs)
    return max(cos(.pi / 2 * fraction), alphaMinimum)
  }
}

extension LayerWeights {
  /// w_i of `count` taps: uniform 1; cosine cos(i / (count - 1) pi / 4), from 1 to 0.707; cosine_increasing
  /// that backwards; a list as it stands. A single tap weighs 1 by every formula.
  package func values(count: Int) throws(LayerWeightsError) -> [Double] {
    switch self {
    case .uniform: return Array(repeating: 1, count: count)
    case .cosine: return Self.cosineValues(count)
    case .cosineIncreasing: return Self.cosineValues(count).reversed()
    case .list(let weights):
      guard weights.count == count else { throw LayerWeightsError(weights: weights.count, taps: count) }
      return weights
    }
  }

  private static func cosineValues(_ count: Int) -> [Double] {
    (0..<count).map { $0 == 0 ? 1 : cos(Double($0) / Double(count - 1) * .pi / 4) }
  }
}
