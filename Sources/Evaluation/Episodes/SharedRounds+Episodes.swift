import Configuration
import MPI
import Planning

extension SharedRounds {
  /// What `icp episodes` does: few-shot episodes with a model's weights, over all ranks. The same report on every rank.
  ///
  /// `labels`: the classes to draw from, all where nil.
  package func measureEpisodes(
    weights: String, kind: WeightsKind = .plain, by configuration: RunConfiguration, _ options: EpisodeOptions,
    labels: [Int]?
  ) throws -> EpisodeReport {
    // The classifier takes no part, and may know other classes than those drawn from.
    let (plan, model) = try communicator.planToMeasure(
      configuration, weights: weights, kind: kind, judgesClasses: false, clock)
    let (classes, episodes) = try communicator.collectively {
      let classes = try EpisodeClasses(of: plan, labels: labels)
      return (classes, try classes.episodes(options))
    }
    try communicator.agree(on: "the data", "\(plan.identity) \(classes.test.count)")
    try communicator.agree(on: "the command line", "\(options) \(classes.labels)")
    let evaluator = try EpisodeEvaluator(classes, plan: plan, model: model, rounds: self)
    communicator.warn(ofNotFinite: evaluator.notFinite, "test images have features")
    return try evaluator.run(episodes)
  }
}
