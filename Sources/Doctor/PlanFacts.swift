import Checkpointing
import Configuration
import Graph
import Models
import Planning
import Runtime

/// What the configuration comes to on this host.
package struct PlanFacts: Codable, Sendable {
  package struct Problem: Codable, Sendable, Equatable {
    package var text: String
    package var exitStatus: Int32

    package init(_ text: String, exitStatus: Int32) { (self.text, self.exitStatus) = (text, exitStatus) }

    init(_ error: any Error) {
      self.init("\(error)", exitStatus: ExitCode.of(error) ?? ExitCode.internalError)
    }
  }

  /// Why it cannot be run here; the rest is then unknown.
  package var problem: Problem?
  package var shards: Int?
  package var threads: Int?
  package var steps: Int?
  package var bytesPerRank: Int?
  package var checkpointBytes: Int?
  package var checkpointsKept: Int?
  /// Classes without training images, in words.
  package var emptyClasses: String?

  package init() {}

  init(_ plan: RunPlan, ranks: Int) {
    shards = plan.shards
    threads = plan.configuration.training.threads
    steps = plan.totalSteps
    bytesPerRank = Int(min(plan.bytesPerRank(ranks: ranks), 0x1p60))
    // Weights and the two moments of an optimiser; running statistics and text come to little.
    checkpointBytes = ParameterLayout(plan.network).parameterCount * 4 * 3 + 1 << 16
    checkpointsKept = plan.configuration.checkpoint.keep
    emptyClasses = plan.emptyClassesText
  }

  /// Reads the data set and the weights to start from, as a run would.
  init(_ configuration: Result<RunConfiguration, any Error>, ranks: Int) {
    switch Result(catching: { try Self.plan(try configuration.get(), ranks: ranks) }) {
    case .success(let plan): self.init(plan, ranks: ranks)
    case .failure(let error):
      self.init()
      problem = Problem(error)
    }
  }

  private static func plan(_ given: RunConfiguration, ranks: Int) throws -> RunPlan {
    let (configuration, weights) = try given.startingPoint()
    let plan = try RunPlan(configuration, ranks: ranks)
    if let weights { try ModelState(plan.network, seed: 0).load(weights.tensors, from: weights.path) }
    return plan
  }
}
