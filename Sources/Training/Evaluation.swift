import Datasets
import Kernels
import MPI
import Networks

/// Measures a model on a data set over all ranks: evaluation mode, no augmentation. Each sample counts once, all sums are
/// integers, and the pieces that run together are cut by index, so the result has the same bits at any number of ranks.
package final class Evaluator {
  private let model: ModelState
  private let network: FrozenNetwork
  private let communicator: Communicator
  private let piece: Tensor
  private let pulse: Pulse
  private var labels = [Int32](repeating: 0, count: FrozenNetwork.pieceSize)
  private var trueLabels = [Int32](repeating: 0, count: FrozenNetwork.pieceSize)

  package init(model: ModelState, backend: ConvolutionBackend, communicator: Communicator, pulse: Pulse = Pulse()) {
    self.model = model
    (self.communicator, self.pulse) = (communicator, pulse)
    network = FrozenNetwork(
      model.architecture, layout: model.layout, backend: backend, differentiable: false, scratch: Scratch())
    piece = Tensor(model.architecture.input.withBatch(FrozenNetwork.pieceSize))
  }

  /// Every rank calls it, and gets the same metrics.
  package func evaluate(_ dataset: Dataset, normalization: Normalization) throws(MPIError) -> ClassificationMetrics {
    pulse.enter(.evaluation)
    let transform = SampleTransform(
      shape: dataset.shape, normalization: normalization, augmentations: [], seed: 0)
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    var sums = EvaluationSums(classes: network.classes)
    let pieces = (dataset.count + FrozenNetwork.pieceSize - 1) / FrozenNetwork.pieceSize
    let (rank, ranks) = (communicator.rank, communicator.size)
    for index in pieces * rank / ranks..<pieces * (rank + 1) / ranks {
      let first = index * FrozenNetwork.pieceSize
      let count = min(FrozenNetwork.pieceSize, dataset.count - first)
      for offset in 0..<count {
        labels[offset] = Int32(dataset.label(first + offset))
        trueLabels[offset] = Int32(dataset.trueLabel(first + offset))
        dataset.withPixels(of: first + offset) {
          transform.write($0, epoch: 0, sample: first + offset, into: piece.pointer + offset * dataset.shape.count)
        }
      }
      pulse.beat()
      sums.add(
        logits: network.logits(piece.pointer, samples: count), labels: labels, trueLabels: trueLabels, count: count)
    }
    pulse.enter(.exchange)
    try sums.values.withUnsafeMutableBufferPointer { values throws(MPIError) in try communicator.sum(values) }
    return ClassificationMetrics(sums)
  }
}
