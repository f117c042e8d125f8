import Datasets
import Execution
import Files
import Graph
import Kernels
import MPI
import Models

/// Measures a model on a data set over all ranks: evaluation mode, no augmentation. Each sample counts once, all sums
/// are integers, and the pieces that run together are cut by index, so the result has the same bits at any number of
/// ranks.
package final class Evaluator {
  private let model: ModelState
  private let network: FrozenNetwork
  private let piece: Tensor
  /// Samples so far, of all evaluations, whose logits were not all finite: they count as wrong.
  package private(set) var notFinite = 0
  private let rounds: SharedRounds
  private var labels: [Int32]
  private var trueLabels: [Int32]

  package init(model: ModelState, backend: ConvolutionBackend, rounds: SharedRounds) {
    self.model = model
    self.rounds = rounds
    network = FrozenNetwork(
      model.network, layout: model.layout, backend: backend, differentiable: false, scratch: Scratch())
    piece = Tensor(network.input.withBatch(network.pieceSize))
    labels = Array(repeating: 0, count: network.pieceSize)
    trueLabels = labels
  }

  /// Bytes that one takes which has measured data sets of `counts` samples: its network, a piece of images, the sums
  /// and what a report makes of them.
  package static func bytes(_ network: Network, backend: ConvolutionBackend, counts: [Int]) -> Double {
    let pieceSize = PieceSize.frozen(network)
    let use = FrozenNetwork.memory(
      network, layout: ParameterLayout(network), backend: backend, differentiable: false, sizes: Set(counts))
    let piece = 4 * Double(pieceSize) * Double(network.image.sampleCount)
    return use.total + piece + EvaluationSums.bytes(classes: network.classes)
      + ClassificationMetrics.bytes(classes: network.classes)
  }

  /// Every rank calls it, and gets the same metrics: of other values for the model's network, where `average` has some.
  /// Throws: StopRequested, on every rank, as soon as one was asked to stop.
  package func evaluate(
    _ dataset: Dataset, normalization: Normalization, of average: WeightAverage? = nil
  ) throws -> ClassificationMetrics {
    try evaluate(dataset, of: average?.model) { samples, _, images throws(FileError) in
      try dataset.normalized(samples, by: normalization, into: images)
    }
  }

  /// The same for images that `write` makes of a piece's samples and their labels: normalised, channels last, into
  /// memory for a piece.
  package func evaluate(
    _ dataset: Dataset, of other: ModelState? = nil,
    write: (_ samples: Range<Int>, _ labels: UnsafePointer<Int32>, _ images: UnsafeMutablePointer<Float>)
      throws(FileError) -> Void
  ) throws -> ClassificationMetrics {
    rounds.clock.enter(.evaluation)
    let model = other ?? model
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    var sums = EvaluationSums(classes: network.classes)
    let pieces = Self.pieces(
      of: dataset.count, size: network.pieceSize, rank: rounds.communicator.rank, of: rounds.communicator.size)
    try rounds.run(pieces.count, of: Self.pieceCount(dataset.count, size: network.pieceSize)) { index in
      let samples = pieces[pieces.startIndex + index]
      for (offset, sample) in samples.enumerated() {
        labels[offset] = Int32(dataset.label(sample))
        trueLabels[offset] = Int32(dataset.trueLabel(sample))
      }
      try write(samples, labels, piece.pointer)
      sums.add(
        logits: network.logits(piece.pointer, samples: samples.count), labels: labels, trueLabels: trueLabels,
        count: samples.count)
    }
    rounds.clock.enter(.exchange)
    try sums.values.withUnsafeMutableBufferPointer { values throws(MPIError) in try rounds.communicator.sum(values) }
    let metrics = ClassificationMetrics(sums)
    notFinite += metrics.nonFinite
    return metrics
  }

  /// A rank's part of 0..<count, cut into pieces by index.
  package static func pieces(
    of count: Int, size: Int, rank: Int, of ranks: Int
  ) -> LazyMapSequence<Range<Int>, Range<Int>> {
    let pieces = pieceCount(count, size: size)
    return (pieces * rank / ranks..<pieces * (rank + 1) / ranks).lazy.map { $0 * size..<min(($0 + 1) * size, count) }
  }

  /// Pieces of `count` samples, over all ranks.
  package static func pieceCount(_ count: Int, size: Int) -> Int { (count + size - 1) / size }
}
