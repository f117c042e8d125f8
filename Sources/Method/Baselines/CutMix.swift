import Configuration
import Kernels
import Graph
import Models

/// CutMix (Yun et al. 2019; `training.cutmix`): a box of each image is another sample's, its target w y + (1 - w) y',
/// where w is the share of the image that stays.
///
/// One box a batch, addressed by epoch and position: its sides are sqrt(1 - u) of the image's, u of Beta(alpha, alpha),
/// its centre is any pixel, and what lies outside the image is cut off. The other sample as in `MixingPartners`, the
/// same place of it.
struct CutMix: MethodPart {
  private let alpha: Double
  fileprivate let seed: Int

  init?(_ setting: MethodSetting) {
    let training = setting.configuration.training
    guard training.cutmix > 0 else { return nil }
    alpha = training.cutmix
    seed = training.seed
  }

  func memory(_ memory: MethodMemory) -> MemoryUse { memory.images(0) }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let input = builder.model.network.image
    builder.add(PastedInputs(self, input: input, capacity: builder.capacity), in: .plain, .cyclic)
  }

  /// Of a batch. Draws after those of mixup, with which it does not go, would be other numbers of the same stream.
  fileprivate func box(in shape: Shape, epoch: Int, position: Int) -> Box {
    var stream = RandomStream(seed: seed, purpose: .mixtureWeight, epoch: epoch, sample: position)
    let side = (1 - stream.beta(alpha)).squareRoot()
    func range(of size: Int) -> Range<Int> {
      let half = Int(Double(size) * side) / 2
      let centre = stream.integer(below: size)
      return max(0, centre - half)..<min(size, centre + half)
    }
    let rows = range(of: shape.height)
    return Box(rows: rows, columns: range(of: shape.width))
  }

  fileprivate struct Box {
    var rows, columns: Range<Int>
    var area: Int { rows.count * columns.count }
  }
}

private final class PastedInputs: InputTransform {
  private let cutMix: CutMix
  private let partners: MixingPartners
  private let images: Tensor

  init(_ cutMix: CutMix, input: Shape, capacity: Int) {
    self.cutMix = cutMix
    partners = MixingPartners(seed: cutMix.seed, capacity: capacity)
    images = Tensor(input.withBatch(capacity))
  }

  func apply(to shard: inout ShardStep) {
    guard shard.context.mixes else { return }
    let shape = images.shape
    let box = cutMix.box(in: shape, epoch: shard.context.epoch, position: shard.context.position)
    partners.choose(for: shard)
    images.pointer.update(from: shard.inputs.images, count: shard.count * shape.sampleCount)
    for sample in 0..<shard.count {
      for row in box.rows {
        let place = (row * shape.width + box.columns.lowerBound) * shape.channels
        let other = shard.inputs.images + partners[sample] * shape.sampleCount
        (images.pointer + sample * shape.sampleCount + place)
          .update(from: other + place, count: box.columns.count * shape.channels)
      }
    }
    shard.inputs.images = UnsafePointer(images.pointer)
    let stays = 1 - Double(box.area) / Double(shape.height * shape.width)
    shard.inputs.mixture = .init(others: partners.labels, weight: stays)
    shard.inputs.partners = partners.indices
  }
}
