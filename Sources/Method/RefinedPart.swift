import Kernels

/// The samples of a shard that are refined where not all are (`icp.fraction`): a fixed count of each shard, chosen by
/// an order addressed by seed, epoch and the shard's first sample. So who runs the shard does not matter.
final class RefinedPart {
  private let fraction: Double
  private let seed: Int
  private let images, all: Tensor
  private let places, samples: UnsafeMutableBufferPointer<Int>
  private let labels, others: UnsafeMutableBufferPointer<Int32>

  /// Of shards of at most `capacity` samples, and images of the shape `input`.
  init(fraction: Double, seed: Int, input: Shape, capacity: Int) {
    self.fraction = fraction
    self.seed = seed
    let most = Int(fraction: fraction, of: capacity)
    images = Tensor(input.withBatch(most))
    all = Tensor(input.withBatch(capacity))
    places = .allocate(capacity: capacity)
    samples = .allocate(capacity: most)
    labels = .allocate(capacity: most)
    others = .allocate(capacity: most)
    places.initialize(repeating: 0)
    samples.initialize(repeating: 0)
    labels.initialize(repeating: 0)
    others.initialize(repeating: 0)
  }

  deinit {
    places.deallocate()
    samples.deallocate()
    labels.deallocate()
    others.deallocate()
  }

  /// Of a shard.
  func count(of samples: Int) -> Int { Int(fraction: fraction, of: samples) }

  /// The chosen ones of `inputs`, and their addresses; valid until the next call.
  func choose(of inputs: StepInputs, _ shard: ShardStep) -> (inputs: StepInputs, samples: UnsafeBufferPointer<Int>) {
    var order = UnsafeMutableBufferPointer(rebasing: places[..<shard.count])
    for place in order.indices { order[place] = place }
    var stream = RandomStream(seed: seed, purpose: .refined, epoch: shard.context.epoch, sample: shard.samples[0])
    stream.shuffle(&order)
    let (count, size) = (count(of: shard.count), all.shape.sampleCount)
    for index in 0..<count {
      (images.pointer + index * size).update(from: inputs.images + order[index] * size, count: size)
      labels[index] = inputs.labels[order[index]]
      samples[index] = shard.samples[order[index]]
      if let mixture = inputs.mixture { others[index] = mixture.others[order[index]] }
    }
    var chosen = inputs
    chosen.images = UnsafePointer(images.pointer)
    chosen.labels = UnsafePointer(labels.baseAddress!)
    chosen.mixture = inputs.mixture.map { .init(others: UnsafePointer(others.baseAddress!), weight: $0.weight) }
    return (chosen, UnsafeBufferPointer(rebasing: UnsafeBufferPointer(samples)[..<count]))
  }

  /// All images of the shard, those that `choose` chose last as `refined` has them.
  func putBack(
    _ refined: UnsafePointer<Float>, into inputs: StepInputs, _ shard: ShardStep
  ) -> UnsafeMutablePointer<Float> {
    let size = all.shape.sampleCount
    all.pointer.update(from: inputs.images, count: shard.count * size)
    for index in 0..<count(of: shard.count) {
      (all.pointer + places[index] * size).update(from: refined + index * size, count: size)
    }
    return all.pointer
  }
}
