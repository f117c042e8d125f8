import Execution
import Graph
import Kernels
import Models
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
  /// Of the running statistics, where the network's begin.
  private let statisticsStart: Int

  /// What came out, by tap; valid until the next pass.
  enum Features {
    case pass(TrainingPass)
    case tensors([Tensor])

    subscript(tap: Int) -> UnsafePointer<Float> {
      switch self {
      case .pass(let pass): UnsafePointer(pass.feature(tap))
      case .tensors(let tensors): UnsafePointer(tensors[tap].pointer)
      }
    }
  }

  /// `kernels`: those of the end of a network, whose input is what `features` gets.
  init(
    _ kind: TargetPass, taps: [Int], frozen: FrozenNetwork, kernels: TrainingKernels? = nil, builder: MethodBuilder
  ) {
    statisticsStart = kernels.map { builder.model.layout.statisticCount - $0.layout.statisticCount } ?? 0
    switch kind {
    case .batch, .batchFrozen:
      let network = builder.network(taps: taps, differentiable: false, on: kernels ?? builder.targetKernels)
      pass = .batch(network, moving: kind == .batch)
    case .running:
      let features = taps.map { Tensor(Shape(frozen.network.nodes[$0].shape, samples: builder.capacity)) }
      pass = .running(frozen, taps: taps, features: features)
    }
  }

  static func memory(_ kind: TargetPass, taps: [Int], _ memory: MethodMemory) -> MemoryUse {
    guard kind == .running else { return memory.targetNetwork(taps: taps) }
    return taps.reduce(MemoryUse()) { $0 + memory.images($1) }
  }

  /// `running` uses the weights and statistics that the frozen network was folded with last.
  func features(of images: UnsafePointer<Float>, _ shard: ShardStep) -> Features {
    switch pass {
    case .batch(let network, let moving):
      return .pass(
        network.forward(
          images, samples: shard.count, parameters: shard.parameters,
          statistics: moving ? shard.statistics + statisticsStart : nil,
          randomness: shard.randomness))
    case .running(let network, let taps, let features):
      let size = network.input.sampleCount
      for first in stride(from: 0, to: shard.count, by: network.pieceSize) {
        let count = min(network.pieceSize, shard.count - first)
        _ = network.logits(images + first * size, samples: count)
        for (tap, feature) in zip(taps, features) {
          let width = feature.shape.sampleCount
          (feature.pointer + first * width).update(from: network.output(tap, samples: count), count: count * width)
        }
      }
      return .tensors(features)
    }
  }
}
