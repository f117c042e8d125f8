import Foundation
import Glibc
import MPI
import Runtime

/// Whether a rank may read another's memory, with which Open MPI copies large messages inside a host at once (CMA).
/// Containers often withhold the right, and the run then prints an error a message, or ends (open-mpi/ompi#4948).
package struct SingleCopyFacts: Codable, Sendable {
  /// Nil where it worked.
  package var error: String?
  /// Of another rank, or this one's own memory where a host has one rank: the system call may be forbidden altogether.
  package var ofAnotherRank = false
  /// What Open MPI uses: "cma", "none", ...; nil where shared memory is not in use.
  package var mechanism: String?

  package init() {}

  /// Known bytes in this process's memory, for others to read.
  struct Target: Codable, Sendable {
    var process: Int32
    var address: UInt

    static let value: UInt64 = 0x1CED_D0C7_0123_4567
  }

  /// Of Open MPI 5's list of components, such as "^cma", whether the one is in use; an empty list means all.
  private static func mechanism(_ value: String?) -> String? {
    guard MPIFamily.own == .openMPI5, let value else { return value }
    let excludes = value.hasPrefix("^")
    let names = value.drop { $0 == "^" }.split(separator: ",")
    return names.isEmpty || names.contains("cma") != excludes ? "cma" : "none"
  }

  static func read(_ target: Target, isOther: Bool) throws -> SingleCopyFacts {
    var facts = SingleCopyFacts()
    facts.ofAnotherRank = isOther
    facts.mechanism = try MPIFamily.own.singleCopyParameter.flatMap { try Self.mechanism(World.Parameters().value($0)) }
    switch ForeignMemory.read(process: target.process, address: target.address) {
    case nil: facts.error = String(cString: strerror(errno))
    case Target.value: break
    // In another container, a process of that number.
    default: facts.error = "it is another process"
    }
    return facts
  }
}

package enum SingleCopyCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let tried = job.ranks.filter { $0.probes?.singleCopy != nil }
    guard !tried.isEmpty else { return [] }
    func inUse(_ rank: RankFacts) -> Bool { rank.probes?.singleCopy?.mechanism.map { $0 == "cma" } ?? false }
    if let rank = tried.first(where: { $0.probes?.singleCopy?.error != nil }) {
      let facts = rank.probes!.singleCopy!
      let text =
        "\(rank.host): reading \(facts.ofAnotherRank ? "another rank's" : "a process's") memory is not permitted "
        + "(process_vm_readv: \(facts.error!))"
      if !inUse(rank) { return [.ok("single copy", "\(text), and Open MPI does not try")] }
      return [
        .warning(
          "single copy", text,
          remedy: "set \(rank.launch.family.noSingleCopySetting ?? "the library's way to copy twice"), "
            + "or give the container SYS_PTRACE")
      ]
    }
    if tried.contains(where: { $0.probes?.singleCopy?.ofAnotherRank == true }) {
      return [
        .ok(
          "single copy",
          "ranks of a host may read each other's memory\(tried.contains(where: inUse) ? "" : " (not in use)")")
      ]
    }
    return [.ok("single copy", "process_vm_readv is permitted")]
  }
}
