import Execution
import Graph
import Kernels
import Testing

/// A network with first values of its own and a batch of random images, and how its gradients compare with central
/// differences.
///
/// The objective is the sum of seed times logit, the seeds standard normal, so that no derivative is zero by symmetry.
/// It is summed in double precision over float32 outputs. Along the gradient's own direction the derivative is the
/// gradient's norm, the largest signal there is over float32's noise; a term that is missing, or counted twice, is off
/// by per cents.
package final class GradientCheck {
  package let network: Network
  package let layout: ParameterLayout
  package let parameters, statistics, images: Tensor
  private let samples: Int
  private let kernels: TrainingKernels
  private let training: TrainingNetwork
  private let randomness: Randomness?
  private let seeds: [Float]
  private let sampleIndices: UnsafeMutablePointer<Int>

  package init(_ network: Network, samples: Int, pieceSize: Int, randomized: Bool = false) {
    self.network = network
    self.samples = samples
    layout = ParameterLayout(network)
    parameters = Tensor(count: layout.parameterCount)
    statistics = Tensor(count: layout.statisticCount)
    layout.initialize(seed: 5, parameters: parameters.pointer, statistics: statistics.pointer)
    var stream = RandomStream(seed: 6, purpose: .test)
    // Away from first values of 0 and 1, at which derivatives vanish.
    for index in 0..<parameters.count { parameters.pointer[index] += Float(0.3 * stream.normal()) }
    for index in 0..<statistics.count { statistics.pointer[index] += Float(0.2 * stream.uniform()) }
    images = Tensor(count: samples * network.input.count)
    for index in 0..<images.count { images.pointer[index] = Float(stream.normal()) }
    seeds = (0..<samples * network.classes).map { _ in Float(stream.normal()) }
    kernels = TrainingKernels(
      network, layout: layout, taps: [], backend: .onednn, scratch: Scratch(), pieceSize: pieceSize)
    training = TrainingNetwork(kernels, taps: [], capacity: samples, differentiable: true)
    sampleIndices = .allocate(capacity: samples)
    for sample in 0..<samples { sampleIndices[sample] = 100 + sample }
    randomness = randomized ? Randomness(seed: 3, epoch: 1, samples: sampleIndices) : nil
  }

  deinit { sampleIndices.deallocate() }

  package func forward() -> TrainingPass {
    kernels.load(parameters.pointer)
    return training.forward(
      images.pointer, samples: samples, parameters: parameters.pointer, statistics: .batch(moving: nil),
      randomness: randomness)
  }

  private func objective(_ logits: UnsafePointer<Float>) -> Double {
    seeds.indices.reduce(0) { $0 + Double(logits[$1]) * Double(seeds[$1]) }
  }

  /// The gradients of the objective with respect to the parameters.
  package func gradients() -> Tensor {
    let pass = forward()
    pass.logitsGradient.update(from: seeds, count: seeds.count)
    let gradients = Tensor(count: layout.parameterCount)
    var done: [Float] = []
    pass.backward(images.pointer, parameters: parameters.pointer, gradients: gradients.pointer, throughFeatures: false)
    {
      #expect($0 >= done.count, "gradients that were final are so")
      done += gradients.values[done.count..<max($0, done.count)]
    }
    #expect(done == Array(gradients.values), "gradients change after they are said to be final")
    return gradients
  }

  /// To the parameters in training mode, and to the images in evaluation mode.
  package func expectCentralDifferences(within tolerance: Double, step: Float = 1e-3) {
    if layout.parameterCount > 0 {
      let gradients = gradients()
      compare(
        gradients.values, at: parameters, step: step, tolerance: tolerance, what: "parameters",
        objective: { objective(forward().logits) })
    }
    let frozen = FrozenNetwork(network, layout: layout, backend: .onednn, differentiable: true, scratch: Scratch())
    frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
    let size = network.input.count
    let classes = network.classes
    var gradient: [Float] = []
    for first in stride(from: 0, to: samples, by: frozen.pieceSize) {
      let count = min(frozen.pieceSize, samples - first)
      let dx = frozen.inputGradient(images.pointer + first * size, samples: count) { _, seed in
        for index in 0..<count * classes { seed[index] = seeds[first * classes + index] }
      }
      gradient += UnsafeBufferPointer(start: dx, count: count * size)
    }
    compare(gradient, at: images, step: step, tolerance: tolerance, what: "images") {
      var sum = 0.0
      for first in stride(from: 0, to: samples, by: frozen.pieceSize) {
        let count = min(frozen.pieceSize, samples - first)
        let logits = frozen.logits(images.pointer + first * size, samples: count)
        for index in 0..<count * classes { sum += Double(logits[index]) * Double(seeds[first * classes + index]) }
      }
      return sum
    }
  }

  private func compare(
    _ gradient: some Collection<Float>, at point: Tensor, step: Float, tolerance: Double, what: String,
    objective: () -> Double
  ) {
    let gradient = Array(gradient)
    let norm = Elementwise.dot(gradient, gradient, count: gradient.count).squareRoot()
    #expect(norm > 1e-3, "\(what)")
    let start = Array(point.values)
    func moved(by distance: Float) -> Double {
      for index in start.indices { point.pointer[index] = start[index] + distance / Float(norm) * gradient[index] }
      return objective()
    }
    let derivative = (moved(by: step) - moved(by: -step)) / Double(2 * step)
    point.pointer.update(from: start, count: start.count)
    #expect(abs(derivative - norm) < tolerance * norm, "\(what): \(derivative), expected \(norm)")
  }
}
