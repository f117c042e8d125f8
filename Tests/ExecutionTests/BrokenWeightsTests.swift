import Execution
import Graph
import Kernels
import Models
import Testing

/// One NaN anywhere in the weights reaches the logits of every image, whatever lies between.
@Suite struct `Broken weights` {
  static let kinds: [(ModelKind, Shortcut)] = [(.resnet8, .projection), (.resnet8, .pad), (.mlp, .projection)]

  private let images: [Float] = (0..<576).map { (index: Int) -> Float in Float(index % 17) / 8 - 1 }

  private static func network(_ kind: ModelKind, _ shortcut: Shortcut) -> (
    Network, ParameterLayout, Tensor, Tensor
  ) {
    let network = try! Network.make(
      kind, shortcut: shortcut, hidden: [20, 18], input: SampleShape(3, 8, 8), classes: 10)
    let layout = ParameterLayout(network)
    let (parameters, statistics) = (Tensor(count: layout.parameterCount), Tensor(count: layout.statisticCount))
    layout.initialize(seed: 1, parameters: parameters.pointer, statistics: statistics.pointer)
    return (network, layout, parameters, statistics)
  }

  /// Of what a NaN can be in without being seen: an image's zeros and a dead unit hide no NaN, but a class's own row of
  /// the last layer has no say in the others' logits.
  private func reaches(_ name: String, _ logits: [Float]) -> Bool {
    for sample in 0..<3 {
      let row = logits[sample * 10..<sample * 10 + 10]
      guard name.hasPrefix("fc") && row.contains(where: \.isNaN) || row.allSatisfy(\.isNaN) else { return false }
    }
    return true
  }

  @Test(arguments: kinds, ConvolutionBackend.allCases)
  func `evaluation mode shows a NaN of any parameter and statistic`(
    kind: (ModelKind, Shortcut), backend: ConvolutionBackend
  ) {
    let (network, layout, parameters, statistics) = Self.network(kind.0, kind.1)
    let frozen = FrozenNetwork(
      network, layout: layout, backend: backend, differentiable: false, scratch: Scratch())
    for (entries, block) in [(layout.parameters, parameters), (layout.statistics, statistics)] {
      for entry in entries {
        // The middle of a filter, which no padding hides.
        let place = entry.range.lowerBound + (entry.shape.count == 4 ? entry.shape[2] * entry.shape[3] / 2 : 0)
        let healthy = block.values[place]
        block.values[place] = .nan
        defer { block.values[place] = healthy }
        frozen.fold(parameters: parameters.pointer, statistics: statistics.pointer)
        let logits = Array(UnsafeBufferPointer(start: frozen.logits(images, samples: 3), count: 30))
        #expect(reaches(entry.name, logits), "\(entry.name)")
      }
    }
  }

  @Test(arguments: kinds, ConvolutionBackend.allCases)
  func `training mode shows a NaN of any parameter`(kind: (ModelKind, Shortcut), backend: ConvolutionBackend) {
    let (network, layout, parameters, statistics) = Self.network(kind.0, kind.1)
    let kernels = TrainingKernels(network, layout: layout, taps: [], backend: backend, scratch: Scratch())
    let training = TrainingNetwork(kernels, taps: [], capacity: 3, differentiable: true)
    for entry in layout.parameters {
      let place = entry.range.lowerBound + (entry.shape.count == 4 ? entry.shape[2] * entry.shape[3] / 2 : 0)
      let healthy = parameters.values[place]
      parameters.values[place] = .nan
      defer { parameters.values[place] = healthy }
      kernels.load(parameters.pointer)
      let pass = training.forward(images, samples: 3, parameters: parameters.pointer, statistics: statistics.pointer)
      #expect(reaches(entry.name, Array(UnsafeBufferPointer(start: pass.logits, count: 30))), "\(entry.name)")
    }
  }
}
