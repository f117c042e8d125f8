import Foundation
import Glibc
import MPI
import Runtime

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
