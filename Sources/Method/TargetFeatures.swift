import Kernels
import Networks
import Refinement

/// The target pass (METHOD, step 4): the refined input's features, without a gradient.
final class TargetFeatures {
  private enum Pass {
    /// Training mode, moving the running statistics or not.
    case batch(TrainingNetwork, moving: Bool)
    /// Evaluation mode, piece by piece, into tensors of its own.
    case running(FrozenNetwork, taps: [Int], features: [Tensor])
  }
  private let pass: Pass

  init(
    options: StepOptions, frozen: FrozenNetwork, convolutions: TrainingConvolutions, capacity: Int
  ) {
    switch options.target {
    case .batch, .batchFrozen:
      let network = TrainingNetwork(convolutions, taps: options.taps, capacity: capacity, differentiable: false)
      pass = .batch(network, moving: options.target == .batch)
    case .running:
      let features = options.taps.map { Tensor(convolutions.architecture.nodes[$0].shape.withBatch(capacity)) }
      pass = .running(frozen, taps: options.taps, features: features)
    }
  }

  /// Makes the plans for `samples` samples; those of the frozen network are the refinement's too.
  func prepare(samples: Int) {
    if case .batch(let network, _) = pass { network.prepare(samples: samples) }
  }

  /// The feature of each tap; `running` uses the weights and statistics that the frozen network was folded with last.
  func features(
    of images: UnsafePointer<Float>, samples: Int, parameters: UnsafePointer<Float>,
    statistics: UnsafeMutablePointer<Float>
  ) -> (Int) -> UnsafePointer<Float> {
    switch pass {
    case .batch(let network, let moving):
      let target = network.forward(
        images, samples: samples, parameters: parameters, statistics: moving ? statistics : nil)
      return { UnsafePointer(target.feature($0)) }
    case .running(let network, let taps, let features):
      let size = network.input.sampleCount
      for first in stride(from: 0, to: samples, by: FrozenNetwork.pieceSize) {
        let count = min(FrozenNetwork.pieceSize, samples - first)
        _ = network.logits(images + first * size, samples: count)
        for (tap, feature) in zip(taps, features) {
          let width = feature.shape.sampleCount
          (feature.pointer + first * width).update(from: network.output(tap, samples: count), count: count * width)
        }
      }
      return { UnsafePointer(features[$0].pointer) }
    }
  }
}
