import Execution
import Foundation
import Kernels
import Refinement

/// The samples of a shard that are refined where not all are (`icp.fraction`): a fixed count of each shard, the first
/// of an order addressed by seed, epoch and the shard's first sample, which `icp.select` sorts. So who runs the shard
/// does not matter.
final class RefinedPart {
  private let fraction: Double
  private let seed: Int
  private let selection: PartSelection
  private let images, all: Tensor
  private let places, samples: UnsafeMutableBufferPointer<Int>
  private let labels, others: UnsafeMutableBufferPointer<Int32>
  /// What the order is sorted by, of each sample.
  private let keys: UnsafeMutableBufferPointer<Float>

  /// Of shards of at most `capacity` samples, and images of the shape `input`.
  init(fraction: Double, selection: PartSelection, seed: Int, input: Shape, capacity: Int) {
    self.fraction = fraction
    self.selection = selection
    self.seed = seed
    let most = Int(fraction: fraction, of: capacity)
    images = Tensor(input.withBatch(most))
    all = Tensor(input.withBatch(capacity))
    places = .allocate(capacity: capacity)
    samples = .allocate(capacity: most)
    labels = .allocate(capacity: most)
    others = .allocate(capacity: most)
    keys = .allocate(capacity: capacity)
    keys.initialize(repeating: 0)
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
    keys.deallocate()
  }

  /// Of a shard.
  func count(of samples: Int) -> Int { Int(fraction: fraction, of: samples) }

  /// The chosen ones of `inputs`, their addresses and their places in the shard; valid until the next call. `student`
  /// must be there unless they are chosen by chance.
  func choose(
    of inputs: StepInputs, _ shard: ShardStep, _ student: TrainingPass?
  ) -> (inputs: StepInputs, samples: UnsafeBufferPointer<Int>, places: UnsafePointer<Int>) {
    var order = UnsafeMutableBufferPointer(rebasing: places[..<shard.count])
    for place in order.indices { order[place] = place }
    var stream = RandomStream(seed: seed, purpose: .refined, epoch: shard.context.epoch, sample: shard.samples[0])
    stream.shuffle(&order)
    if selection != .chance { sort(order, by: student!, labels: inputs.labels) }
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
    return (
      chosen, UnsafeBufferPointer(rebasing: UnsafeBufferPointer(samples)[..<count]),
      UnsafePointer(places.baseAddress!)
    )
  }

  /// Those that come first are refined; of equals, as they stand.
  private func sort(_ order: UnsafeMutableBufferPointer<Int>, by student: TrainingPass, labels: UnsafePointer<Int32>) {
    for sample in order.indices {
      let logits = student.logits + sample * student.classes
      keys[sample] = key(logits, label: Int(labels[sample]), classes: student.classes)
    }
    // By insertion, which allocates nothing and keeps equals in order.
    for index in order.indices.dropFirst() {
      let own = order[index]
      var place = index
      while place > 0, keys[order[place - 1]] > keys[own] {
        order[place] = order[place - 1]
        place -= 1
      }
      order[place] = own
    }
  }

  private func key(_ logits: UnsafePointer<Float>, label: Int, classes: Int) -> Float {
    var largest = -Float.infinity
    for index in 0..<classes where index != label { largest = max(largest, logits[index]) }
    guard selection == .learned else { return logits[label] - largest }
    var others = Float(0)
    for index in 0..<classes where index != label { others += exp(logits[index] - logits[label]) }
    return others < 1 ? 0 : 1
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
