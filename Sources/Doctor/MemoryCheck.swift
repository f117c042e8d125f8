import Foundation
import Reporting
import Runtime

/// What the ranks of a host will take, against what it has.
package enum MemoryCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let problems = job.hosts.compactMap { finding($0) }
    if !problems.isEmpty { return problems }
    guard let least = job.hosts.compactMap(\.first.memory.available).min() else { return [] }
    let needed = job.first.plan?.bytes.map { "; about \(sized($0)) a rank needed" } ?? ""
    return [.ok("memory", "\(sized(least)) available\(job.hosts.count > 1 ? " a host at least" : "")\(needed)")]
  }

  private static func finding(_ host: JobFacts.Host) -> Finding? {
    let needed = host.ranks.reduce(0.0) { $0 + Double($1.plan?.bytesToCome ?? 0) }
    guard let available = host.first.memory.available, let each = host.first.plan?.bytes, needed > Double(available)
    else { return nil }
    return .warning(
      "memory",
      "\(host.name): \(counted(host.ranks.count, "rank")) of about \(sized(each)) each, and \(sized(available)) available: "
        + "the kernel would kill one",
      remedy: "start fewer ranks there, lower training.batch_size, or raise training.shards")
  }
}
