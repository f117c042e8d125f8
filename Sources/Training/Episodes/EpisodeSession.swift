import Datasets
import Formats
import Kernels
import MPI
import Networks

/// What `icp episodes` does: few-shot episodes on the features that a model's weights give test images, over all ranks.
package struct EpisodeSession {
  private let configuration: RunConfiguration
  private let weights: String
  private let options: EpisodeOptions
  private let classes: [Int]?
  private let communicator: Communicator
  private let pulse: Pulse

  /// `classes`: the labels to draw from, all where nil.
  package init(
    configuration: RunConfiguration, weights: String, options: EpisodeOptions, classes: [Int]?,
    communicator: Communicator, pulse: Pulse
  ) {
    (self.configuration, self.weights, self.options) = (configuration, weights, options)
    (self.classes, self.communicator, self.pulse) = (classes, communicator, pulse)
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// What is drawn from, and the network whose features count.
  private struct Material {
    var plan: RunPlan
    var model: ModelState
    var test: Dataset
    /// The samples that can be drawn.
    var samples: [Int]
    /// The data files' numbers of the classes.
    var labels: [Int]
    var episodes: Episodes
  }

  /// The same report on every rank: an episode's correct answers are counted by one of them.
  package func run() throws -> EpisodeReport {
    let material = try communicator.together { try prepare() }
    try communicator.agree(on: "the data", "\(material.plan.measuredData) \(material.test.count)")
    try communicator.agree(on: "the command line", "\(options) \(material.labels)")
    let features = try features(material)
    let width = features.count / material.samples.count
    var rows = [Int](repeating: 0, count: material.test.count)
    for (row, sample) in material.samples.enumerated() { rows[sample] = row }

    let judge = NearestCentroid(distance: options.distance, width: width)
    var correct = [Int64](repeating: 0, count: options.episodes)
    pulse.enter(.evaluation)
    for episode in stride(from: communicator.rank, to: options.episodes, by: communicator.size) {
      pulse.beat()
      correct[episode] = Int64(
        judge.correct(in: material.episodes[episode]) { sample in
          features[rows[sample] * width..<(rows[sample] + 1) * width]
        })
    }
    pulse.enter(.exchange)
    try correct.withUnsafeMutableBufferPointer { values throws(MPIError) in try communicator.sum(values) }
    return EpisodeReport(options: options, classes: material.labels, correct: correct.map { Int($0) })
  }

  private func prepare() throws -> Material {
    let tensors = try WeightsFile.read(path: weights)
    // The classifier takes no part, and may know other classes than those drawn from: as many as the file says.
    var configuration = configuration
    configuration.model.classes = nil
    let plan = try RunPlan(configuration, ranks: 1)
    let model = ModelState(
      .make(
        configuration.model.kind, shortcut: configuration.model.shortcut, hidden: configuration.model.hidden,
        input: plan.architecture.input, classes: try PerturbationSession.classes(of: tensors, path: weights)), seed: 0)
    try model.load(tensors, from: weights)

    // The plan gives the normalisation of what was trained on; the test set of the classes held out of that is another.
    var test = plan.data.test
    if classes != nil, configuration.data.classes != nil {
      var options = DataOptions(configuration)
      (options.classes, options.samplesPerClass, options.labelNoise) = (nil, nil, LabelNoise())
      test = try DataSplits.load(options).test
    }
    let chosen = classes ?? Array(0..<test.classes)
    if let wrong = chosen.first(where: { !(0..<test.classes).contains($0) }) {
      throw UsageError("--classes: there is no class \(wrong) in the data, expected 0 to \(test.classes - 1)")
    }
    guard Set(chosen).count == chosen.count else { throw UsageError("--classes: a class is named twice") }
    var members = [[Int]](repeating: [], count: test.classes)
    for sample in 0..<test.count { members[test.label(sample)].append(sample) }
    // Kept classes are numbered anew in the data set.
    let labels = classes ?? configuration.data.classes ?? chosen
    return Material(
      plan: plan, model: model, test: test, samples: chosen.flatMap { members[$0] }, labels: labels,
      episodes: try Episodes(options, classes: zip(labels, chosen).map { ($0, members[$1]) }))
  }

  /// What the classifier reads, a row a sample: the pooled features of a ResNet, the last hidden layer of an MLP. On every
  /// rank.
  private func features(_ material: Material) throws(MPIError) -> [Float] {
    let (model, samples) = (material.model, material.samples)
    let node = model.architecture.features
    let width = model.architecture.nodes[node].shape.sampleCount
    let network = FrozenNetwork(
      model.architecture, layout: model.layout, backend: material.plan.step.backend, differentiable: false,
      taps: [node], scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    let piece = Tensor(network.input.withBatch(FrozenNetwork.pieceSize))
    var features = [Float](repeating: 0, count: samples.count * width)
    pulse.enter(.evaluation)
    for range in Evaluator.pieces(of: samples.count, communicator) {
      pulse.beat()
      for (offset, row) in range.enumerated() {
        material.test.normalized(
          samples[row]..<samples[row] + 1, by: material.plan.normalization,
          into: piece.pointer + offset * network.input.sampleCount)
      }
      _ = network.logits(piece.pointer, samples: range.count)
      let output = UnsafeBufferPointer(start: network.output(node, samples: range.count), count: range.count * width)
      features.replaceSubrange(range.lowerBound * width..<range.upperBound * width, with: output)
    }
    pulse.enter(.exchange)
    // Every value is one rank's, and 0 on the others: their sum is exact.
    try features.withUnsafeMutableBufferPointer { values throws(MPIError) in try communicator.sum(values) }
    return features
  }
}
