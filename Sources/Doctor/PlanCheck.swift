import Configuration
import Graph
import Planning
import Runtime

/// The configuration and its data, as every rank finds them.
package enum PlanCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    guard let plan = job.first.plan else { return [] }
    let failed = job.ranks.filter { $0.plan?.problem != nil }
    guard let first = failed.first, let problem = first.plan?.problem else {
      let readable = Finding.ok(
        "configuration",
        "\(counted(plan.shards ?? 0, "shard")) on \(counted(job.ranks.count, "rank")), \(counted(plan.steps ?? 0, "step")); "
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
