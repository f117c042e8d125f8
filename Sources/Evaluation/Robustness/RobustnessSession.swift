import Configuration
import Kernels
import MPI
import Supervision

/// What `icp robustness` does: a model's weights, measured on corrupted and attacked test images over all ranks.
package struct RobustnessSession {
  private let configuration: RunConfiguration
  private let weights: String
  private let communicator: Communicator
  private let pulse: Pulse

  package init(configuration: RunConfiguration, weights: String, communicator: Communicator, pulse: Pulse) {
    (self.configuration, self.weights, self.communicator, self.pulse) = (configuration, weights, communicator, pulse)
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same report on every rank.
  package func run(_ checks: [RobustnessCheck]) throws -> RobustnessReport {
    let (plan, model) = try communicator.planToMeasure(configuration, weights: weights)
    let evaluator = RobustnessEvaluator(plan: plan, model: model, communicator: communicator, pulse: pulse)
    let report = try evaluator.run(checks)
    communicator.warn(ofNotFinite: evaluator.notFinite, "images, of all that were measured, have logits")
    return report
  }
}
