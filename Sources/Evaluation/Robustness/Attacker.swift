import Datasets
import Execution
import Graph
import Kernels
import Models
import Refinement

/// Attacks a model in evaluation mode. Samples do not depend on each other.
package final class Attacker {
  private let network: FrozenNetwork
  private let loss: CrossEntropy
  private let normalization: Normalization
  private let seed: Int
  /// What each value of a piece may be.
  private let low, high: Tensor

  /// Takes the weights as they are now.
  package init(model: ModelState, backend: ConvolutionBackend, normalization: Normalization, seed: Int) {
    network = FrozenNetwork(
      model.network, layout: model.layout, backend: backend, differentiable: true, scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    loss = CrossEntropy(classes: network.classes)
    self.normalization = normalization
    self.seed = seed
    low = Tensor(network.input.withBatch(network.pieceSize))
    high = Tensor(network.input.withBatch(network.pieceSize))
  }

  /// Bytes of one that has attacked `count` samples.
  static func bytes(_ network: Network, backend: ConvolutionBackend, count: Int) -> Double {
    let bounds = 2 * 4 * Double(PieceSize.frozen(network)) * Double(network.image.sampleCount)
    return bounds
      + FrozenNetwork.memory(
        network, layout: ParameterLayout(network), backend: backend, differentiable: true, sizes: [count]
      ).total
  }

  /// Replaces the images of `samples`, at most a piece of them, by adversarial ones. `images`: normalised, channels
  /// last; the samples' numbers address random starts.
  package func perturb(
    _ images: UnsafeMutablePointer<Float>, labels: UnsafePointer<Int32>, samples: Range<Int>, by attack: Attack
  ) {
    let channels = network.input.channels
    let count = samples.count * network.input.sampleCount
    for channel in 0..<channels {
      let epsilon = Float(attack.epsilon / normalization.std[channel])
      let pixels = normalization.pixelRange(channel)
      for index in stride(from: channel, to: count, by: channels) {
        low.pointer[index] = max(images[index] - epsilon, pixels.lowerBound)
        high.pointer[index] = min(images[index] + epsilon, pixels.upperBound)
      }
    }
    if attack.startsRandomly { moveAtRandom(images, samples: samples, by: attack.epsilon) }
    for _ in 0..<attack.steps {
      let gradient = network.inputGradient(images, samples: samples.count) { logits, seed in
        loss(logits: logits, labels: labels, samples: samples.count, gradient: seed)
      }
      for channel in 0..<channels {
        let step = Float(attack.stepSize / normalization.std[channel])
        for index in stride(from: channel, to: count, by: channels) {
          // A NaN goes into the image: an attack that has no direction must not pass for one that was resisted.
          move(images + index, by: Rule.signed(step, by: gradient[index]), within: index)
        }
      }
    }
  }

  private func moveAtRandom(_ images: UnsafeMutablePointer<Float>, samples: Range<Int>, by epsilon: Double) {
    let size = network.input.sampleCount
    for (offset, sample) in samples.enumerated() {
      var stream = RandomStream(seed: seed, purpose: .attack, sample: sample)
      for index in offset * size..<(offset + 1) * size {
        let move = stream.uniform(in: -epsilon...epsilon) / normalization.std[index % network.input.channels]
        self.move(images + index, by: Float(move), within: index)
      }
    }
  }

  private func move(_ value: UnsafeMutablePointer<Float>, by distance: Float, within index: Int) {
    value.pointee = InputBounds.clamp(value.pointee + distance, low.pointer[index], high.pointer[index])
  }
}
