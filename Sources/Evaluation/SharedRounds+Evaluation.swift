import Configuration
import MPI

extension SharedRounds {
  /// What `icp evaluate` does: a model's weights, measured on the test set over all ranks. The same metrics on every
  /// rank.
  package func evaluate(
    weights: String, kind: WeightsKind = .plain, by configuration: RunConfiguration
  ) throws -> ClassificationMetrics {
    let (plan, model) = try communicator.planToMeasure(configuration, weights: weights, kind: kind, clock)
    var metrics = try Evaluator(model: model, backend: plan.backend, rounds: self)
      .evaluate(plan.test, normalization: plan.normalization)
    metrics.classNames = plan.classNames
    communicator.warn(ofNotFinite: metrics.nonFinite, "test images have logits")
    communicator.warn(ofCapped: metrics.cappedLosses)
    return metrics
  }
}
