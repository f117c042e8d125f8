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
    // The classifier takes no part, and may know other classes than those drawn from.
    let (plan, model) = try communicator.planToMeasure(configuration, weights: weights, judgesClasses: false)
    let (classes, episodes) = try communicator.together {
      let classes = try EpisodeClasses(of: plan, labels: self.classes)
      return (classes, try classes.episodes(options))
    }
    try communicator.agree(on: "the data", "\(plan.identity) \(classes.test.count)")
    try communicator.agree(on: "the command line", "\(options) \(classes.labels)")
    let evaluator = try EpisodeEvaluator(
      classes, plan: plan, model: model, communicator: communicator, pulse: pulse)
    communicator.warn(ofNotFinite: evaluator.notFinite, "test images have features")
    return try evaluator.run(episodes)
  }
}
