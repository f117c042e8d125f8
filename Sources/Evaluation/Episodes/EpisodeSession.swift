import Checkpointing
import Configuration
import Datasets
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

  /// The same report on every rank.
  package func run() throws -> EpisodeReport {
    let indexes = try communicator.pictureIndexes(configuration)
    let (plan, model, classes, episodes) = try communicator.together { try prepare(indexes) }
    try communicator.agree(on: "the data", "\(plan.measuredData) \(classes.test.count)")
    try communicator.agree(on: "the command line", "\(options) \(classes.labels)")
    return try EpisodeEvaluator(classes, plan: plan, model: model, communicator: communicator, pulse: pulse)
      .run(episodes)
  }

  private func prepare(_ indexes: [String: PictureIndex]) throws -> (RunPlan, ModelState, EpisodeClasses, Episodes) {
    let tensors = try WeightsFile.read(path: weights)
    // The classifier takes no part, and may know other classes than those drawn from: as many as the file says.
    var configuration = configuration
    configuration.model.classes = nil
    let plan = try RunPlan(configuration, ranks: 1, indexes: indexes)
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
