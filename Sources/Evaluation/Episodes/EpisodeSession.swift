import Checkpointing
import Configuration
import Datasets
import Kernels
import MPI
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
    // The classifier takes no part, and may know other classes than those drawn from.
    let (plan, model) = try rounds.communicator.planToMeasure(configuration, weights: weights, judgesClasses: false)
    let (classes, episodes) = try rounds.communicator.collectively {
      let classes = try EpisodeClasses(of: plan, labels: self.classes)
      return (classes, try classes.episodes(options))
    }
    try rounds.communicator.agree(on: "the data", "\(plan.identity) \(classes.test.count)")
    try rounds.communicator.agree(on: "the command line", "\(options) \(classes.labels)")
    let evaluator = try EpisodeEvaluator(
      classes, plan: plan, model: model, rounds: rounds)
    rounds.communicator.warn(ofNotFinite: evaluator.notFinite, "test images have features")
    return try evaluator.run(episodes)
  }
}
