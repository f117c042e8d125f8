import Datasets
import Execution
import Graph
import Kernels
import MPI
import Models
import Planning
import Supervision

/// Few-shot episodes on the features that a model gives test images, over all ranks: the same figures at any number of
/// them.
struct EpisodeEvaluator {
  private let rounds: SharedRounds
  private let classes: EpisodeClasses
  /// A row of `width` values a sample that can be drawn.
  private let features: [Float]
  private let width: Int
  /// The row of each sample.
  private let rows: [Int: Int]

  /// Computes the features. Every rank calls it.
  /// Throws: StopRequested, on every rank, as soon as one was asked to stop, as `run` does.
  init(_ classes: EpisodeClasses, plan: MeasurementPlan, model: ModelState, rounds: SharedRounds) throws {
    self.rounds = rounds
    self.classes = classes
    let samples = classes.members.flatMap(\.self)
    rows = Dictionary(uniqueKeysWithValues: samples.enumerated().map { ($0.element, $0.offset) })
    // What the classifier reads: the pooled features of a ResNet, the last hidden layer of an MLP.
    let node = model.network.features
    let width = model.network.nodes[node].shape.count
    let network = FrozenNetwork(
      model.network, layout: model.layout, backend: plan.backend, differentiable: false, taps: [node],
      scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    let piece = Tensor(network.input.withBatch(network.pieceSize))
    var features = [Float](repeating: 0, count: samples.count * width)
    rounds.clock.enter(.evaluation)
    let pieces = Evaluator.pieces(
      of: samples.count, size: network.pieceSize, rank: rounds.communicator.rank, of: rounds.communicator.size)
    try rounds.run(pieces.count, of: Evaluator.pieceCount(samples.count, size: network.pieceSize)) { index in
      let range = pieces[pieces.startIndex + index]
      for (offset, row) in range.enumerated() {
        try classes.test.normalized(
          samples[row]..<samples[row] + 1, by: plan.normalization,
          into: piece.pointer + offset * network.input.sampleCount)
      }
      _ = network.logits(piece.pointer, samples: range.count)
      let output = UnsafeBufferPointer(start: network.output(node, samples: range.count), count: range.count * width)
      features.replaceSubrange(range.lowerBound * width..<range.upperBound * width, with: output)
    }
    rounds.clock.enter(.exchange)
    // Every value is one rank's, and 0 on the others: their sum is exact.
    try features.withUnsafeMutableBufferPointer { values throws(MPIError) in try rounds.communicator.sum(values) }
    self.features = features
    self.width = width
  }

  /// Bytes that one takes.
  static func bytes(_ classes: EpisodeClasses, plan: MeasurementPlan) -> Double {
    let network = plan.network
    let samples = classes.members.reduce(0) { $0 + $1.count }
    let features = 4 * Double(samples) * Double(network.nodes[network.features].shape.count)
    return features
      + FrozenNetwork.memory(
        network, layout: ParameterLayout(network), backend: plan.backend, differentiable: false,
        taps: [network.features], sizes: [samples]
      ).total
  }

  /// Samples with a feature that is not finite: as queries they count as wrong.
  var notFinite: Int {
    (0..<rows.count).count { row in !features[row * width..<(row + 1) * width].allSatisfy(\.isFinite) }
  }

  /// The same report on every rank, each of which calls it: an episode's correct answers are counted by one of them.
  func run(_ episodes: Episodes) throws -> EpisodeReport {
    let options = episodes.options
    let judge = NearestCentroid(distance: options.distance, width: width)
    var correct = [Int64](repeating: 0, count: options.episodes)
    rounds.clock.enter(.evaluation)
    let own = stride(from: rounds.communicator.rank, to: options.episodes, by: rounds.communicator.size)
    try rounds.run(own.underestimatedCount, of: options.episodes) { index in
      let episode = rounds.communicator.rank + index * rounds.communicator.size
      correct[episode] = Int64(
        judge.correct(in: episodes[episode]) { sample in
          let row = rows[sample]!
          return features[row * width..<(row + 1) * width]
        })
    }
    rounds.clock.enter(.exchange)
    try correct.withUnsafeMutableBufferPointer { values throws(MPIError) in try rounds.communicator.sum(values) }
    return EpisodeReport(options: options, classes: classes.labels, correct: correct.map { Int($0) })
  }
}
