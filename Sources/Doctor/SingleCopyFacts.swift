import Foundation
import Glibc
import MPI

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
