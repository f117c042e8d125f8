import Configuration
import MPI

extension SharedRounds {
  /// What `icp robustness` does: a model's weights, measured on corrupted and attacked test images over all ranks. The
  /// same report on every rank.
  package func measureRobustness(
    weights: String, kind: WeightsKind = .plain, by configuration: RunConfiguration, _ checks: [RobustnessCheck]
  ) throws -> RobustnessReport {
    let (plan, model) = try communicator.planToMeasure(configuration, weights: weights, kind: kind, clock)
    let evaluator = RobustnessEvaluator(plan: plan, model: model, rounds: self)
    let report = try evaluator.run(checks)
    communicator.warn(ofNotFinite: evaluator.notFinite, "images, of all that were measured, have logits")
    return report
  }
}
