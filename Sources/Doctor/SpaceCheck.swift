import Foundation
import MPI
import Reporting
import Runtime

/// Where Open MPI puts files of its own.
package struct SpaceFacts: Codable, Sendable {
  package struct Folder: Codable, Sendable, Equatable {
    package var path: String
    package var total: Int
    package var free: Int

    package init(_ path: String, total: Int, free: Int) { (self.path, self.total, self.free) = (path, total, free) }

    /// Nil where there is no such folder.
    static func read(_ path: String) -> Folder? {
      var status = statvfs()
      guard statvfs(path, &status) == 0 else { return nil }
      let block = Int(clamping: status.f_frsize)
      return Folder(
        path, total: Int(clamping: status.f_blocks).multipliedReportingOverflow(by: block).partialValue,
        free: Int(clamping: status.f_bavail).multipliedReportingOverflow(by: block).partialValue)
    }
  }

  /// What the ranks of a host exchange through; nil where that folder is missing.
  package var shared: Folder? = Folder("/dev/shm", total: 1 << 32, free: 1 << 32)
  package var temporary: Folder? = Folder("/tmp", total: 1 << 32, free: 1 << 32)
  /// Whether this rank's MPI exchanges through shared memory; it leaves that alone where there is no room.
  package var sharesMemory = true

  package init() {}

  static func read(_ environment: [String: String], _ parameters: borrowing World.Parameters) -> SpaceFacts {
    var facts = SpaceFacts()
    let family = MPIFamily.own
    let backing = family.backingParameter.flatMap { parameters.value($0) }
    facts.sharesMemory = backing != nil || family.backingParameter == nil
    facts.shared = Folder.read(backing ?? family.backingVariable.flatMap { environment[$0] } ?? "/dev/shm")
    facts.temporary = Folder.read(
      environment["OMPI_MCA_orte_tmpdir_base"] ?? environment["PRTE_MCA_prte_tmpdir_base"] ?? environment["TMPDIR"]
        ?? "/tmp")
    return facts
  }
}

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
