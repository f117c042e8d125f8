import Checkpointing
import Files
import Foundation
import Glibc
import Reporting
import Runtime

/// Whether a run can save, how fast, and who could find it again.
package enum RunDirectoryCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    guard let facts = job.first.probes?.runDirectory else { return [] }
    if let problem = facts.problem {
      return [
        .error(
          "run directory", problem,
          remedy: facts.problemStatus == ExitCode.usage
            ? nil : "name one that rank 0 can write, with room for checkpoints, by --run-dir",
          exitStatus: facts.problemStatus)
      ]
    }
    return [space(facts, job.first.plan)] + lock(facts) + fileSystem(facts) + visibility(facts, job)
  }

  private static func space(_ facts: RunDirectoryFacts, _ plan: PlanFacts?) -> Finding {
    let speed = facts.bytesPerSecond.map { ", written at \(Int($0 / 0x1p20)) MiB/s with fsync" } ?? ""
    let place = "\(facts.path) has \(sized(facts.free)) free\(speed)"
    guard let size = plan?.checkpointBytes, let kept = plan?.checkpointsKept else { return .ok("run directory", place) }
    let needed = (kept + 1).multipliedReportingOverflow(by: size)
    // While one is saved, the ones that are kept are there too.
    guard needed.overflow || needed.partialValue > facts.free else {
      return .ok("run directory", "\(place); a checkpoint takes about \(sized(max(size, 1 << 20)))")
    }
    let text = "\(place), and \(kept + 1) checkpoints of about \(sized(size)) do not fit"
    let remedy = "free some, or lower checkpoint.keep (\(kept))"
    guard size <= facts.free else { return .error("run directory", text, remedy: "free some", exitStatus: 74) }
    return .warning("run directory", text, remedy: remedy)
  }

  private static func lock(_ facts: RunDirectoryFacts) -> [Finding] {
    if let owner = facts.owner {
      return [.note("run directory", "a run is using it (\(owner)): a second one would end with status 75")]
    }
    guard let reason = facts.missingLock else { return [] }
    return [
      .warning(
        "run directory", "its file system has no locks (\(reason)): nothing keeps a second run out",
        remedy: "make sure that one run writes there, or mount it with flock")
    ]
  }

  private static func fileSystem(_ facts: RunDirectoryFacts) -> [Finding] {
    guard let name = facts.fileSystem else { return [] }
    if name == "tmpfs" { return [.note("run directory", "on a tmpfs: it is memory, and gone when the host stops")] }
    if name == "overlay" {
      return [.note("run directory", "in a container's own layer (overlay): gone when the container is")]
    }
    guard shared.contains(where: { name.hasPrefix($0) }) else { return [] }
    return [
      .note("run directory", "on \(name), whose locks may hold on one host only: do not start one run from two hosts")
    ]
  }

  private static let shared = [
    "nfs", "lustre", "gpfs", "ceph", "cifs", "smb", "beegfs", "fuse", "pvfs", "orangefs", "glusterfs", "9p", "afs",
  ]

  /// Only rank 0 writes, but a restart may put rank 0 on another host.
  private static func visibility(_ facts: RunDirectoryFacts, _ job: JobFacts) -> [Finding] {
    let blind = job.hosts.filter { host in host.ranks.contains { $0.probes?.seesRunDirectory == false } }
    guard !blind.isEmpty else { return [] }
    return [
      .note(
        "run directory",
        "only \(job.first.host) has it (not \(listed(blind.map(\.name)))): to go on from its checkpoints, start rank 0 there again"
      )
    ]
  }
}
