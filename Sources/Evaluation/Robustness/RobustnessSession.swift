import Configuration
import Kernels
import MPI
import Supervision

/// What `icp robustness` does: a model's weights, measured on corrupted and attacked test images over all ranks.
package struct RobustnessSession {
  private let configuration: RunConfiguration
  private let weights: String
  private let rounds: SharedRounds

  package init(configuration: RunConfiguration, weights: String, rounds: SharedRounds) {
    self.configuration = configuration
    self.weights = weights
    self.rounds = rounds
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same report on every rank.
  package func run(_ checks: [RobustnessCheck]) throws -> RobustnessReport {
    let (plan, model) = try rounds.communicator.planToMeasure(configuration, weights: weights)
    let evaluator = RobustnessEvaluator(plan: plan, model: model, rounds: rounds)
    let report = try evaluator.run(checks)
    rounds.communicator.warn(ofNotFinite: evaluator.notFinite, "images, of all that were measured, have logits")
    return report
  }
}
