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
  /// Of this rank, at most; and of these, what it does not hold yet.
  package var bytes, bytesToCome: Int?
  package var checkpointBytes: Int?
  package var checkpointsKept: Int?
  /// Classes without training images, in words.
  package var emptyClasses: String?

  package init() {}

  init(_ plan: RunPlan, _ memory: RankMemory, rank: Int) {
    shards = plan.shards
    threads = plan.configuration.training.threads
    steps = plan.totalSteps
    bytes = Int(min(memory.bytes(rank: rank), 0x1p60))
    bytesToCome = Int(min(memory.bytesToCome(rank: rank), 0x1p60))
    checkpointBytes = Int(min(memory.checkpointBytes, 0x1p60))
    checkpointsKept = plan.configuration.checkpoint.keep
    emptyClasses = plan.emptyClassesText
  }

  /// Reads the data set and the weights to start from, as a run would.
  init(_ configuration: Result<RunConfiguration, any Error>, rank: Int, ranks: Int) {
    do {
      let plan = try Self.plan(try configuration.get(), ranks: ranks)
      let memory = RankMemory(plan, ranks: ranks)
      try memory.check()
      self.init(plan, memory, rank: rank)
    } catch {
      self.init()
      problem = Problem(error)
    }
  }

  private static func plan(_ given: RunConfiguration, ranks: Int) throws -> RunPlan {
    let (configuration, weights) = try given.startingPoint()
    let plan = try RunPlan(configuration, ranks: ranks)
    if let weights {
      try ModelState(plan.network, seed: 0).load(
        weights.tensors, from: weights.path, head: configuration.model.head)
    }
    return plan
  }
}
