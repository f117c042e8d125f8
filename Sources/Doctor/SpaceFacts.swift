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
    // A variable that is set to nothing says nothing.
    let places = ["OMPI_MCA_orte_tmpdir_base", "PRTE_MCA_prte_tmpdir_base", "TMPDIR"].compactMap { environment[$0] }
    facts.temporary = Folder.read(places.first { !$0.isEmpty } ?? "/tmp")
    return facts
  }
}
