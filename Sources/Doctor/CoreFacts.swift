import Foundation
import MPI
import Runtime

/// The cores a rank may use, and what it means to run on them.
package struct CoreFacts: Codable, Sendable {
  /// The numbers of the cores that this rank may run on.
  package var allowed = [0]
  /// Those the job has on this host: of the process that started this rank, which binds it and is not bound itself.
  package var available = [0]
  /// How many cores' time the control group allows; nil without a limit.
  package var quota: Double?
  /// Whether a rank that waits lets others have the core (`mpi_yield_when_idle`).
  package var yields = false
  /// Threads of this process now: the libraries make theirs when they are loaded.
  package var threads = 1

  package init() {}

  static func read(
    _ environment: [String: String], _ group: ControlGroup, _ parameters: borrowing World.Parameters
  ) -> CoreFacts {
    var facts = CoreFacts()
    let status = ControlGroup.text("/proc/self/status") ?? ""
    facts.allowed = ControlGroup.numbers(field("Cpus_allowed_list", of: status) ?? "")
    facts.threads = field("Threads", of: status).flatMap { Int($0) } ?? 1
    facts.available = facts.allowed
    if MPIFamily.value(\.sizeVariable, in: environment) != nil || environment["SLURM_STEP_ID"] != nil {
      let parent = ControlGroup.text("/proc/\(getppid())/status") ?? ""
      var numbers = Set(ControlGroup.numbers(field("Cpus_allowed_list", of: parent) ?? ""))
      if let inGroup = group.coreNumbers { numbers.formIntersection(inGroup) }
      facts.available = numbers.union(facts.allowed).sorted()
    }
    facts.quota = group.cores
    facts.yields = parameters.yieldsWhenIdle ?? false
    return facts
  }

  private static func field(_ name: String, of status: String) -> String? {
    status.split(separator: "\n").first { $0.hasPrefix("\(name):") }?
      .dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
  }
}
