import Execution
import Graph
import Kernels

/// The inner loop (METHOD, step 3): moves each input `steps` times down the loss of the frozen network, x_t =
/// rule(x_{t-1}, dL/dx). Samples do not depend on each other, so they run in pieces that stay in the cache; nothing
/// here changes a weight or a statistic, or talks to another rank.
package final class Refiner {
  /// What came out, for `samples` samples; sums over them, not means.
  package struct Result {
    /// x_T, (samples, height, width, channels); valid until the next refinement.
    package var images: UnsafeMutablePointer<Float>
    /// Cross entropy at x_0; without an iteration, which gives it for nothing, only where that at x_T was asked for.
    package var lossAtStart = 0.0
    /// Cross entropy at x_T: one more forward pass, so only where it was asked for.
    package var lossAtEnd: Double?
    /// sum |x_T - x_0| over all elements.
    package var movement = 0.0
  }

  /// Where the contrast `random` takes its directions from: a sample's address.
  package struct Addresses {
    package var seed: Int
    package var epoch: Int
    package var samples: UnsafeBufferPointer<Int>

    package init(seed: Int, epoch: Int, samples: UnsafeBufferPointer<Int>) {
      self.seed = seed
      self.epoch = epoch
      self.samples = samples
    }
  }

  /// Where the first gradient comes from, instead of the frozen network: from what a training pass on the same images
  /// left, its statistics being constants.
  package struct Start {
    package var gradient: InputGradient
    package var source: InputGradient.Source

    package init(gradient: InputGradient, source: InputGradient.Source) {
      self.gradient = gradient
      self.source = source
    }
  }

  private let network: FrozenNetwork
  private let rule: Rule
  private let bounds: InputBounds
  private let steps: Int
  private let label: RefinementLabel
  /// Of a piece, with `label` predicted.
  private let predictions: UnsafeMutablePointer<Int32>
  private let loss: CrossEntropy
  private let refined: Tensor
  private let state: Tensor
  /// Both of the contrast `random` alone: a sample's direction, a piece's iterate.
  private let direction, contrast: Tensor

  /// `network` must be differentiable; `capacity` is the largest number of samples of a call.
  package init(
    network: FrozenNetwork, rule: Rule, bounds: InputBounds, steps: Int, label: RefinementLabel = .given, capacity: Int
  ) {
    self.network = network
    self.rule = rule
    self.bounds = bounds
    self.steps = steps
    self.label = label
    predictions = .allocate(capacity: network.pieceSize)
    loss = CrossEntropy(classes: network.classes)
    refined = Tensor(network.input.withBatch(capacity))
    let piece = network.pieceSize * network.input.sampleCount
    state = Tensor(count: rule.stateCount * piece)
    direction = Tensor(count: rule.kind == .random ? network.input.sampleCount : 0)
    contrast = Tensor(count: rule.kind == .random ? piece : 0)
  }

  deinit { predictions.deallocate() }

  /// Bytes of what one for `rule` takes beside x_T and its network.
  package static func stateBytes(_ rule: RuleKind, network: Network) -> Double {
    let input = network.image
    let piece = PieceSize.frozen(network) * input.sampleCount
    let state = Rule(kind: rule, stepSize: 0).stateCount * piece
    return 4 * Double(state + (rule == .random ? input.sampleCount + piece : 0))
  }

  /// Refines `images` (samples, height, width, channels) with the weights that `network` was folded with last.
  /// `reach` multiplies the rule's step size. `lossScale` is 1 for the sum of the samples' losses and 1 / samples of
  /// the global batch for their mean. `observe` is shown every iterate x_1 ... x_T of every piece, with the piece's
  /// first sample. Of mixed images `mixture` has the other labels. `start` gives the first gradient.
  package func refine(
    _ images: UnsafePointer<Float>, labels: UnsafePointer<Int32>, mixture: CrossEntropy.Mixture? = nil, samples: Int,
    lossScale: Double, reach: Double = 1, addresses: Addresses, measuringEnd: Bool = false, from start: Start? = nil,
    observe: ((_ iteration: Int, _ first: Int, _ x: UnsafeBufferPointer<Float>) -> Void)? = nil
  ) -> Result {
    let size = network.input.sampleCount
    let rule = reach == 1 ? rule : Rule(kind: rule.kind, stepSize: rule.stepSize * Float(reach))
    var result = Result(images: refined.pointer)
    refined.pointer.update(from: images, count: samples * size)
    for first in stride(from: 0, to: samples, by: network.pieceSize) {
      let count = min(network.pieceSize, samples - first)
      let x0 = images + first * size
      let x = refined.pointer + first * size
      var targets = (labels: labels + first, mixture: mixture?.from(first))
      state.pointer.update(repeating: 0, count: state.count)
      for iteration in 0..<steps {
        let isFirst = iteration == 0
        let gradient: UnsafeMutablePointer<Float>
        if isFirst, let start {
          // What is measured is the frozen network's loss, not this one.
          gradient = start.gradient(start.source, first: first, samples: count) { place, count, logits, seed in
            _ = differentiate(logits, targets, at: place, count, scale: lossScale, isFirst: true, into: seed)
          }
        } else {
          gradient = network.inputGradient(x, samples: count) { logits, seed in
            let sum = differentiate(logits, targets, at: 0, count, scale: lossScale, isFirst: isFirst, into: seed)
            if isFirst { result.lossAtStart += sum }
          }
        }
        if isFirst, label == .predicted { targets = (UnsafePointer(predictions), nil) }
        rule.step(
          iteration + 1, x: x, gradient: gradient, state: state.pointer,
          stride: network.pieceSize * size, count: count * size)
        bounds.project(x, around: x0, count: count * size)
        if let observe {
          let shown = iterate(x, around: x0, first: first, count: count, addresses)
          observe(iteration + 1, first, UnsafeBufferPointer(start: shown, count: count * size))
        }
      }
      if rule.kind == .random { randomize(x, around: x0, first: first, count: count, addresses) }
      result.movement += Elementwise.absoluteDistance(x, x0, count: count * size)
      // What is measured is the loss that training has.
      targets = (labels + first, mixture?.from(first))
      if steps == 0 || start != nil, measuringEnd { result.lossAtStart += crossEntropy(of: x0, targets, count) }
      if measuringEnd { result.lossAtEnd = (result.lossAtEnd ?? 0) + crossEntropy(of: x, targets, count) }
    }
    return result
  }

  private typealias Targets = (labels: UnsafePointer<Int32>, mixture: CrossEntropy.Mixture?)

  /// The loss of samples from `place` of a piece on, and its gradient at the logits; at the first iteration that of
  /// what is predicted, where that counts.
  private func differentiate(
    _ logits: UnsafeMutablePointer<Float>, _ targets: Targets, at place: Int, _ count: Int, scale: Double,
    isFirst: Bool, into gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    let sum = loss(
      logits: logits, labels: targets.labels + place, mixture: targets.mixture?.from(place), samples: count,
      scale: scale, gradient: gradient)
    guard isFirst, label == .predicted else { return sum }
    predict(logits, samples: count, into: predictions + place)
    loss(logits: logits, labels: predictions + place, samples: count, scale: scale, gradient: gradient)
    return sum
  }

  /// The classes of the largest logits.
  private func predict(
    _ logits: UnsafePointer<Float>, samples: Int, into predictions: UnsafeMutablePointer<Int32>
  ) {
    for sample in 0..<samples {
      let row = logits + sample * loss.classes
      var largest = 0
      for index in 1..<max(loss.classes, 1) where row[index] > row[largest] { largest = index }
      predictions[sample] = Int32(largest)
    }
  }

  /// The sum of the samples' cross entropies at `images`, one sample a label.
  package func loss(of images: [Float], labels: [Int32]) -> Double {
    let size = network.input.sampleCount
    precondition(images.count == labels.count * size, "\(images.count) values for \(labels.count) samples of \(size)")
    return images.withUnsafeBufferPointer { images in
      labels.withUnsafeBufferPointer { labels in
        stride(from: 0, to: labels.count, by: network.pieceSize).reduce(0) { sum, first in
          let count = min(network.pieceSize, labels.count - first)
          return sum
            + crossEntropy(of: images.baseAddress! + first * size, (labels.baseAddress! + first, nil), count)
        }
      }
    }
  }

  /// x_t as the rule defines it; for the contrast `random` a copy, since adam's own trajectory goes on.
  private func iterate(
    _ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, first: Int, count: Int, _ addresses: Addresses
  ) -> UnsafeMutablePointer<Float> {
    guard rule.kind == .random else { return x }
    contrast.pointer.update(from: x, count: count * network.input.sampleCount)
    randomize(contrast.pointer, around: x0, first: first, count: count, addresses)
    return contrast.pointer
  }

  /// The contrast: what adam moved, in a direction of no meaning.
  private func randomize(
    _ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, first: Int, count: Int, _ addresses: Addresses
  ) {
    let size = network.input.sampleCount
    for sample in 0..<count {
      let address = RandomStream(
        seed: addresses.seed, purpose: .perturbation, epoch: addresses.epoch,
        sample: addresses.samples[first + sample])
      Rule.randomize(
        x + sample * size, around: x0 + sample * size, count: size, direction: direction.pointer, address: address)
      bounds.project(x + sample * size, around: x0 + sample * size, count: size)
    }
  }

  private func crossEntropy(
    of x: UnsafePointer<Float>, _ targets: (labels: UnsafePointer<Int32>, mixture: CrossEntropy.Mixture?), _ count: Int
  ) -> Double {
    loss(
      logits: network.logits(x, samples: count), labels: targets.labels, mixture: targets.mixture, samples: count)
  }
}
