import Foundation
import Reporting
import Runtime

package enum LimitCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let problems = job.hosts.compactMap { files($0, ranks: job.ranks.count) ?? processes($0) ?? locked($0) }
    if let first = problems.first { return [first] + cores(job) }
    let fewestFiles = job.hosts.compactMap(\.first.limits.files).min()
    let fewestProcesses = job.hosts.compactMap(\.first.limits.processes).min()
    return [
      .ok("limits", "\(shown(fewestFiles)) open files (ulimit -n), \(shown(fewestProcesses)) processes (ulimit -u)")
    ] + cores(job)
  }

  private static func shown(_ limit: Int?) -> String { limit.map { "\($0)" } ?? "unlimited" }

  /// A rank has some 60 files open, and up to two sockets to each rank of other hosts.
  private static func files(_ host: JobFacts.Host, ranks: Int) -> Finding? {
    let needed = 128 + 2 * (ranks - host.ranks.count)
    guard let limit = host.first.limits.files, limit < needed else { return nil }
    return .warning(
      "limits", "\(host.name): \(limit) open files a process, \(needed) wanted", remedy: "raise it: ulimit -n 4096")
  }

  /// Counted by user: the ranks, their threads, and a handful of Open MPI's.
  private static func processes(_ host: JobFacts.Host) -> Finding? {
    let needed = 64 + host.ranks.reduce(0) { $0 + $1.cores.threads + 8 }
    guard let limit = host.first.limits.processes, limit < needed else { return nil }
    return .warning(
      "limits", "\(host.name): \(limit) processes and threads, about \(needed) wanted",
      remedy: "raise it (ulimit -u, or the container's pids limit), or set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1"
    )
  }

  private static func locked(_ host: JobFacts.Host) -> Finding? {
    let limits = host.first.limits
    guard limits.hasInfiniBand, let locked = limits.locked, locked < 1 << 30 else { return nil }
    return .warning(
      "limits", "\(host.name): \(sized(locked)) may be locked in memory, which InfiniBand needs much of",
      remedy: "raise it: ulimit -l unlimited")
  }

  private static func cores(_ job: JobFacts) -> [Finding] {
    let hosts = job.hosts.filter { $0.first.limits.core != 0 }
    guard !hosts.isEmpty else { return [] }
    return [
      .note("core files", "a rank that crashes leaves one as large as its memory (ulimit -c 0 prevents it)")
    ]
  }
}
