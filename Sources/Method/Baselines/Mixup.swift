import Configuration
import Graph
import Kernels
import Models

/// mixup (Zhang et al. 2018; `training.mixup`): x becomes w x + (1 - w) x', its target w y + (1 - w) y', with w of
/// Beta(alpha, alpha).
///
/// One w a batch, addressed by epoch and position; x' as in `MixingPartners`. w is the larger of itself and 1 - w: a
/// permutation and its inverse are equally likely, so batches are distributed as without this. The larger part of
/// a mixed image is its own sample. The training accuracy counts by that sample's label.
struct Mixup: MethodPart {
  private let alpha: Double
  private let seed: Int

  init?(_ setting: MethodSetting) {
    let training = setting.configuration.training
    guard training.mixup > 0 else { return nil }
    alpha = training.mixup
    seed = training.seed
  }

  func memory(_ memory: MethodMemory) -> MemoryUse { memory.images(0) }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let input = builder.model.network.image
    builder.add(MixedInputs(self, seed: seed, input: input, capacity: builder.capacity), in: .plain, .cyclic)
  }

  /// w of a batch, 0.5...1.
  func weight(epoch: Int, position: Int) -> Double {
    var stream = RandomStream(seed: seed, purpose: .mixtureWeight, epoch: epoch, sample: position)
    let weight = stream.beta(alpha)
    return max(weight, 1 - weight)
  }
}

private final class MixedInputs: InputTransform {
  private let mixup: Mixup
  private let partners: MixingPartners
  private let images: Tensor

  init(_ mixup: Mixup, seed: Int, input: Shape, capacity: Int) {
    self.mixup = mixup
    partners = MixingPartners(seed: seed, capacity: capacity)
    images = Tensor(input.withBatch(capacity))
  }

  func apply(to shard: inout ShardStep) {
    guard shard.context.mixes else { return }
    let weight = mixup.weight(epoch: shard.context.epoch, position: shard.context.position)
    let size = images.shape.sampleCount
    partners.choose(for: shard)
    for sample in 0..<shard.count {
      Elementwise.combine(
        Float(weight), shard.inputs.images + sample * size, Float(1 - weight),
        shard.inputs.images + partners[sample] * size, count: size, into: images.pointer + sample * size)
    }
    shard.inputs.images = UnsafePointer(images.pointer)
    shard.inputs.mixture = .init(others: partners.labels, weight: weight)
    shard.inputs.partners = partners.indices
  }
}
