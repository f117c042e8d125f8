import Graph
import Kernels

/// One forward pass of a network in training mode, and the backward pass to its parameters.
package final class TrainingPass {
  package let samples: Int
  package let classes: Int
  private let pass: Pass
  private let taps: [Int]
  private let output, features: Int
  private let tapShapes: [SampleShape]
  private let featuresSampleShape: SampleShape
  private var randomness: Randomness?

  init(_ pass: Pass, _ kernels: TrainingKernels, taps: [Int]) {
    let network = kernels.network
    self.pass = pass
    self.taps = taps.map { kernels.program.kept[$0]! }
    samples = pass.samples
    classes = network.classes
    output = kernels.program.kept[network.output]!
    features = kernels.program.kept[network.features]!
    tapShapes = taps.map { network.nodes[$0].shape }
    featuresSampleShape = network.nodes[network.features].shape
  }

  /// (samples, classes), valid after `forward`.
  package var logits: UnsafeMutablePointer<Float> { pass.output(output) }
  /// The output of tap `index`, (samples, ...), maps channels last, valid after `forward`.
  package func feature(_ index: Int) -> UnsafeMutablePointer<Float> { pass.output(taps[index]) }
  /// What the logits are read from, (samples, ...), valid after `forward`.
  package var lastFeatures: UnsafeMutablePointer<Float> { pass.output(features) }
  package var lastFeaturesShape: Shape { Shape(featuresSampleShape, samples: samples) }
  package var featureCount: Int { taps.count }
  package func featureShape(_ index: Int) -> Shape { Shape(tapShapes[index], samples: samples) }
  /// Where a loss writes its gradient with respect to the logits and to the features, before `backward`.
  package var logitsGradient: UnsafeMutablePointer<Float> { pass.lossGradient(taps.count) }
  package func featureGradient(_ index: Int) -> UnsafeMutablePointer<Float> { pass.lossGradient(index) }

  func forward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, statistics: StatisticsSource,
    like other: TrainingPass? = nil, randomness: Randomness?
  ) {
    self.randomness = randomness
    pass.forward(images, parameters: parameters, source: statistics, like: other?.pass, randomness: randomness)
  }

  func value(_ step: Int, from first: Int) -> UnsafeMutableRawPointer { pass.value(step, from: first) }
  func statistics(_ step: Int) -> any StatisticsKernel { pass.statistics(step) }

  /// The gradients of the loss that gave those gradients, for the pass `forward` ran last; overwrites `gradients`.
  /// The parameters must be those of that pass, whose memory it takes: one backward pass a forward pass. Without
  /// `throughFeatures` only that of the logits counts. `whenFinal` hears how many of the gradients are final, from the
  /// first one on.
  package func backward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    throughFeatures: Bool, whenFinal: (Int) -> Void = { _ in }
  ) {
    pass.backward(
      images, parameters: parameters, gradients: gradients, onlyFrom: throughFeatures ? nil : taps.count,
      randomness: randomness,
      final: whenFinal)
  }
}
