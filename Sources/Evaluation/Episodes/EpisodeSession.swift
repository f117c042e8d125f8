import Checkpointing
import Configuration
import Kernels
import MPI
import Networks
import Planning
import Supervision

/// What `icp episodes` does: few-shot episodes with a model's weights, over all ranks.
package struct EpisodeSession {
  private let configuration: RunConfiguration
  private let weights: String
  private let options: EpisodeOptions
  private let classes: [Int]?
  private let rounds: SharedRounds

  /// `classes`: the labels to draw from, all where nil.
  package init(
    configuration: RunConfiguration, weights: String, options: EpisodeOptions, classes: [Int]?,
    rounds: SharedRounds
  ) {
    self.configuration = configuration
    self.weights = weights
    self.options = options
    self.classes = classes
    self.rounds = rounds
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same report on every rank.
  package func run() throws -> EpisodeReport {
    let (plan, model, classes, episodes) = try rounds.communicator.together { try prepare() }
    try rounds.communicator.agree(on: "the data", "\(plan.measuredData) \(classes.test.count)")
    try rounds.communicator.agree(on: "the command line", "\(options) \(classes.labels)")
    return try EpisodeEvaluator(classes, plan: plan, model: model, rounds: rounds).run(episodes)
  }

  private func prepare() throws -> (RunPlan, ModelState, EpisodeClasses, Episodes) {
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
    // The plan gives the normalisation of what was trained on; test images may be of the classes held out of that.
    let classes = try EpisodeClasses(of: plan, labels: classes)
    return (plan, model, classes, try classes.episodes(options))
  }
}
