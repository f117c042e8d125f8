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
    /// Training mode, normalised as the student's pass was.
    case student(TrainingNetwork)
    /// Evaluation mode, piece by piece, into tensors of its own.
    case running(FrozenNetwork, taps: [Int], features: [Tensor])
  }
  private let pass: Pass
  /// Of the running statistics, where the network's begin.
  private let statisticsStart: Int
  /// Of another teacher than the student.
  private let weights: UnsafePointer<Float>?

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

  /// `kernels`: those of the end of a network, whose input is what `features` gets. `counts`: how many images come,
  /// where these are not whole shards.
  init(
    _ kind: TargetPass, taps: [Int], frozen: FrozenNetwork, kernels: TrainingKernels? = nil, counts: Set<Int>? = nil,
    builder: MethodBuilder
  ) {
    statisticsStart = kernels.map { builder.model.layout.statisticCount - $0.layout.statisticCount } ?? 0
    let teacher = kernels == nil ? builder.teacher : nil
    weights = teacher?.weights
    func network() -> TrainingNetwork {
      builder.network(
        taps: taps, differentiable: false, on: kernels ?? teacher?.kernels ?? builder.targetKernels,
        sizes: counts)
    }
    switch kind {
    // Another teacher's statistics are not the student's to go by.
    case .batch, .batchFrozen: pass = .batch(network(), moving: kind == .batch && teacher == nil)
    case .student: pass = .student(network())
    case .running:
      let features = taps.map { Tensor(Shape(frozen.network.nodes[$0].shape, samples: builder.capacity)) }
      pass = .running(frozen, taps: taps, features: features)
    }
  }

  static func memory(_ kind: TargetPass, taps: [Int], _ memory: MethodMemory) -> MemoryUse {
    guard kind == .running else { return memory.targetNetwork(taps: taps) }
    return taps.reduce(MemoryUse()) { $0 + memory.images($1) }
  }

  /// Of one refined image at least. `running` uses the weights and statistics that the frozen network was folded with
  /// last.
  func features(of refined: RefinedImages, _ shard: ShardStep, beside student: TrainingPass) -> Features {
    let (images, samples) = (UnsafePointer(refined.images), refined.samples.count)
    let randomness = refined.places == nil ? shard.randomness : shard.randomness(of: refined.samples)
    let parameters = weights ?? shard.parameters
    switch pass {
    case .batch(let network, let moving):
      return .pass(
        network.forward(
          images, samples: samples, parameters: parameters,
          statistics: moving ? shard.statistics + statisticsStart : nil, randomness: randomness))
    case .student(let network):
      return .pass(
        network.forward(images, samples: samples, parameters: parameters, like: student, randomness: randomness))
    case .running(let network, let taps, let features):
      let size = network.input.sampleCount
      for first in stride(from: 0, to: samples, by: network.pieceSize) {
        let count = min(network.pieceSize, samples - first)
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
