import Foundation
import MPI
import Reporting
import Runtime

/// Room in /dev/shm and in the folder for temporary files.
package enum SpaceCheck {
  /// Open MPI 4.1 takes 4 MiB a rank, more under load, and drops shared memory in silence where that fails.
  static let shared = 64 << 20
  /// mpirun hangs for minutes, deaf to signals, when it cannot fill its session directory.
  static let temporary = 64 << 20

  package static func findings(_ job: JobFacts) -> [Finding] {
    [sharedMemory(job), temporaryFiles(job)]
  }

  private static func sharedMemory(_ job: JobFacts) -> Finding {
    let variable = job.first.launch.family.backingVariable
    let remedy =
      "give the container more (docker run --shm-size=1g)"
      + (variable.map { ", or set \($0) to a folder on a local disk, such as $TMPDIR" } ?? "")
    for host in job.hosts {
      let needed = max(shared, host.ranks.count * 4 << 20)
      guard let folder = host.first.space.shared else {
        return .warning("shared memory", "\(host.name) has no /dev/shm", remedy: remedy)
      }
      if host.ranks.count > 1, host.ranks.contains(where: { !$0.space.sharesMemory }), folder.total < needed {
        return .warning(
          "shared memory",
          "\(host.name): \(folder.path) has \(sized(folder.total)), and the ranks exchange over TCP instead",
          remedy: remedy)
      }
      if folder.free < needed {
        return .warning(
          "shared memory",
          "\(host.name): \(folder.path) has \(sized(folder.free)) free of \(sized(folder.total)), \(sized(needed)) wanted",
          remedy: remedy)
      }
    }
    let least = job.hosts.compactMap(\.first.space.shared).min { $0.free < $1.free }!
    return .ok("shared memory", "\(sized(least.free)) free in \(least.path)\(job.hosts.count > 1 ? " at least" : "")")
  }

  private static func temporaryFiles(_ job: JobFacts) -> Finding {
    let remedy = "free some, or set TMPDIR to a folder with more room"
    for host in job.hosts {
      guard let folder = host.first.space.temporary else {
        return .warning(
          "temporary files", "\(host.name): the folder of TMPDIR is missing", remedy: "make it, or set another")
      }
      guard folder.free >= temporary else {
        return .warning(
          "temporary files", "\(host.name): \(folder.path) has \(sized(folder.free)) free, \(sized(temporary)) wanted",
          remedy: remedy)
      }
    }
    let least = job.hosts.compactMap(\.first.space.temporary).min { $0.free < $1.free }!
    return .ok("temporary files", "\(sized(least.free)) free in \(least.path)\(job.hosts.count > 1 ? " at least" : "")")
  }
}
