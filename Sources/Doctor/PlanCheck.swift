import Configuration
import Graph
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

  /// Reads the data set, as a run would.
  init(_ configuration: Result<RunConfiguration, any Error>, ranks: Int) {
    switch Result(catching: { try RunPlan(try configuration.get(), ranks: ranks) }) {
    case .success(let plan): self.init(plan, ranks: ranks)
    case .failure(let error):
      self.init()
      problem = Problem(error)
    }
  }
}

/// The configuration and its data, as every rank finds them.
package enum PlanCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    guard let plan = job.first.plan else { return [] }
    let failed = job.ranks.filter { $0.plan?.problem != nil }
    guard let first = failed.first, let problem = first.plan?.problem else {
      let readable = Finding.ok(
        "configuration",
        "\(counted(plan.shards ?? 0, "shard")) on \(counted(job.ranks.count, "rank")), \(plan.steps ?? 0) steps; "
          + "the data can be read")
      return [readable]
        + (plan.emptyClasses.map { text in
          [.warning("data", text, remedy: "see data.limit, data.validation_split, data.classes and the labels")]
        } ?? [])
    }
    let everywhere = failed.count == job.ranks.count
    let hosts = job.hosts.map(\.name).filter { name in failed.contains { $0.host == name } }
    return [
      .error(
        "configuration", (everywhere ? "" : "on \(listed(hosts)): ") + problem.text,
        remedy: everywhere ? nil : "every host needs the configuration and the data at the same paths",
        exitStatus: problem.exitStatus)
    ]
  }
}
