import Foundation
import MPI
import Runtime

/// Ranks and their threads against the cores they may use, and where they are bound.
package enum CoreCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let threads = job.first.plan?.threads ?? 1
    let problems = job.hosts.compactMap { crowding($0, threads: threads) ?? binding($0, threads: threads) }
    if !problems.isEmpty { return problems + idleThreads(job) }
    let cores = job.hosts.map { usable($0) }
    let few = "\(cores.min()!)"
    let range = cores.min()! == cores.max()! ? few : "\(few) to \(cores.max()!)"
    let place = job.hosts.count == 1 ? counted(cores[0], "core") : "\(range) cores a host"
    let text = "\(counted(job.ranks.count, "rank")) of \(counted(threads, "thread")) on \(place)"
    return [.ok("cores", text + bindingText(job))] + roaming(job) + idleThreads(job)
  }

  /// How many threads can run at once.
  private static func usable(_ host: JobFacts.Host) -> Int {
    let cores = max(1, Set(host.ranks.flatMap(\.cores.available)).count)
    return host.first.cores.quota.map { min(cores, max(1, Int($0.rounded(.up)))) } ?? cores
  }

  private static func crowding(_ host: JobFacts.Host, threads: Int) -> Finding? {
    let cores = usable(host)
    let ranks = host.ranks.count
    let quota = host.first.cores.quota.map { $0 <= Double(cores) ? " (by the control group's quota)" : "" } ?? ""
    let place = "\(host.name): \(counted(ranks, "rank")) on \(counted(cores, "core"))\(quota)"
    if ranks > cores {
      guard host.ranks.contains(where: { !$0.cores.yields }) else {
        return .note("cores", "\(place): they take turns, as mpi_yield_when_idle lets them")
      }
      let setting = host.first.launch.family.yieldSetting.map { ", or set \($0)" } ?? ""
      return .warning(
        "cores", "\(place): ranks that wait keep the others from computing",
        remedy: "start at most \(counted(cores, "rank")) there\(setting)")
    }
    guard ranks * threads > cores else { return nil }
    return .warning(
      "cores", "\(place), each of \(threads) threads", remedy: "set training.threads to \(max(1, cores / ranks))")
  }

  /// Ranks that share too few cores while others are free.
  private static func binding(_ host: JobFacts.Host, threads: Int) -> Finding? {
    let used = Set(host.ranks.flatMap(\.cores.allowed))
    let free = Set(host.ranks.flatMap(\.cores.available)).subtracting(used)
    guard !free.isEmpty else { return nil }
    let family = host.first.launch.family
    for set in Set(host.ranks.map(\.cores.allowed)).sorted(by: { $0.count < $1.count }) {
      let inside = host.ranks.filter { Set($0.cores.allowed).isSubset(of: set) }
      guard inside.count * threads > set.count else { continue }
      return .warning(
        "binding",
        "\(host.name): rank \(listed(inside.map { "\($0.rank)" })) may only run on \(counted(set.count, "core")) "
          + "(\(listed(set.map { "\($0)" }))), and \(free.count) of the job's cores are free",
        remedy: "start \(family.launcher) with \(threads > 1 ? "\(family.coresOption)\(threads)" : family.coreOption), "
          + "or with \(family.freeOption)")
    }
    return nil
  }

  private static func isFree(_ rank: RankFacts) -> Bool { rank.cores.allowed.count >= rank.cores.available.count }

  private static func bindingText(_ job: JobFacts) -> String {
    guard job.ranks.count > 1 else { return "" }
    let bound = job.ranks.filter { !isFree($0) }.count
    return bound == job.ranks.count ? "; each bound" : bound == 0 ? "; none bound" : "; \(bound) bound"
  }

  /// From 16 cores on: there, memory is often nearer to one half of them.
  private static func roaming(_ job: JobFacts) -> [Finding] {
    let hosts = job.hosts.filter { host in
      host.ranks.count > 1 && host.first.cores.available.count >= 16 && host.ranks.allSatisfy(isFree)
    }
    guard let host = hosts.first else { return [] }
    return [
      .note(
        "binding",
        "\(listed(hosts.map(\.name))): ranks may move between \(host.first.cores.available.count) cores; "
          + "\(host.first.launch.family.launcher) \(host.first.launch.family.coreOption) keeps them near their caches and "
          + "memory")
    ]
  }

  /// They sleep, but each has a stack, and counts against limits.
  private static func idleThreads(_ job: JobFacts) -> [Finding] {
    let most = job.ranks.map(\.cores.threads).max()!
    guard job.ranks.count > 1, most > 16 else { return [] }
    return [
      .note(
        "threads",
        "up to \(most) a rank, made by the libraries at their start: OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1 "
          + "save them (training.threads sets how many compute)")
    ]
  }
}
