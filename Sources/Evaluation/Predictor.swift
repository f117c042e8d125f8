import Checkpointing
import Configuration
import Datasets
import Execution
import Files
import Foundation
import Graph
import Kernels
import Models
import Pictures
import Planning
import Runtime

/// A trained network that classifies images which belong to no data set: `icp predict`.
package final class Predictor {
  /// What the outputs are called, in their order.
  package let classNames: [String]
  private let view: Preprocessing.View
  private let network: FrozenNetwork
  private let weights: String

  /// Reads no data set. Throws: FileError, UsageError, GraphError.
  package init(_ configuration: RunConfiguration, weights: WeightsFile) throws {
    KernelLibrary.setThreads(configuration.training.threads)
    self.weights = weights.path
    view = try weights.preprocessing.view(configuration, path: weights.path)
    guard view.shape.isPicture else {
      throw FileError(
        path: weights.path, reason: "takes samples of \(counted(view.shape.channels, "channel")), which are no pictures"
      )
    }
    let filled = weights.preprocessing.filling(configuration)
    let classes = try filled.model.classes ?? PerturbationSession.classes(of: weights, in: configuration)
    let network = try filled.model.network(of: view.shape.input, classes: classes)
    let layout = ParameterLayout(network)
    let needed =
      2 * ModelState.bytes(layout)
      + FrozenNetwork.memory(
        network, layout: layout, backend: configuration.kernels.convolution, differentiable: false,
        sizes: [PieceSize.frozen(network)]
      ).total
    if let total = HostMemory.total, needed > Double(total) {
      throw UsageError(
        "this model needs about \(Int((needed / 0x1p30).rounded())) GiB, and the host has \(total >> 30)")
    }
    let model = ModelState(network.trunk, seed: 0)
    try model.load(weights.tensors, from: weights.path)
    self.network = FrozenNetwork(
      model.network, layout: model.layout, backend: configuration.kernels.convolution, differentiable: false,
      scratch: Scratch())
    self.network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    classNames = weights.preprocessing.outputNames(self.network.classes)
  }

  /// `found` hears of one image after the other: its name, and the probability of each class.
  package func predict(
    _ inputs: [PredictionInput], found: (_ name: String, _ probabilities: [Double]) throws -> Void
  ) throws {
    let size = view.shape.count
    let images = Tensor(network.input.withBatch(network.pieceSize))
    let transform = SampleTransform(shape: view.shape, normalization: view.normalization)
    for start in stride(from: 0, to: inputs.count, by: network.pieceSize) {
      let piece = inputs[start..<min(start + network.pieceSize, inputs.count)]
      for (place, input) in piece.enumerated() {
        let picture = try input.picture(view)
        picture.withPlanes { transform.write($0, epoch: 0, sample: 0, into: images.pointer + place * size) }
      }
      let logits = network.logits(images.pointer, samples: piece.count)
      for (place, input) in piece.enumerated() {
        let row = UnsafeBufferPointer(start: logits + place * network.classes, count: network.classes)
        guard row.allSatisfy(\.isFinite) else {
          throw FileError(
            path: weights, reason: "its outputs for \(input.name) are not finite: these weights are not usable")
        }
        try found(input.name, Self.softmax(row))
      }
    }
  }

  private static func softmax(_ logits: UnsafeBufferPointer<Float>) -> [Double] {
    let largest = Double(logits.max()!)
    let exponentials = logits.map { exp(Double($0) - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }
}
