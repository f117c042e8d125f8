import Foundation
import MPI
import Runtime

/// With more than one host: interfaces through which the others cannot be reached. Open MPI tries every one that is up,
/// and where it takes docker0 for a way to another host, the job hangs (open-mpi/ompi#6377).
package enum NetworkCheck {
  private typealias Interface = NetworkFacts.Interface

  package static func findings(_ job: JobFacts) -> [Finding] {
    guard job.hosts.count > 1 else {
      let interfaces = job.first.network.interfaces.map(\.shown)
      return [
        .ok("network", "one host, whose ranks need none (\(interfaces.isEmpty ? "none is up" : listed(interfaces)))")
      ]
    }
    let variables = job.first.launch.family.networkVariables
    let used = job.hosts.map { host in (name: host.name, interfaces: interfacesInUse(host.first.network)) }
    if let host = used.first(where: { $0.interfaces.isEmpty }) {
      return [
        .warning(
          "network", "\(host.name) has no interface that MPI may use",
          remedy: "see \(variables[0])\(variables[0].hasPrefix("OMPI") ? " and OMPI_MCA_btl_tcp_if_exclude" : "")")
      ]
    }
    let all = used.flatMap { host in host.interfaces.map { (host: host.name, interface: $0) } }
    let addresses = Dictionary(grouping: all, by: \.interface.address)
    /// The same address on two hosts is that of a bridge of each host's own (docker0, virbr0).
    func isShared(_ network: String) -> Bool {
      used.allSatisfy { $0.interfaces.contains { $0.network == network && addresses[$0.address]?.count == 1 } }
    }
    let networks = Set(all.map(\.interface.network))
    let shared = networks.filter(isShared)
    let odd = all.filter { !shared.contains($0.interface.network) }
    let best = shared.max { (speed($0, all.map(\.interface)), $1) < (speed($1, all.map(\.interface)), $0) }
    guard let best else {
      return [
        .warning(
          "network",
          "no network that all \(job.hosts.count) hosts are on: "
            + listed(all.map { "\($0.host) \($0.interface.shown)" }),
          remedy:
            "name the interfaces that reach each other in \(variables.joined(separator: " and "))")
      ]
    }
    guard !odd.isEmpty else { return [.ok("network", "\(job.hosts.count) hosts on \(listed(shared.sorted()))")] }
    return [
      .warning(
        "network", "not between all hosts: \(listed(odd.map { "\($0.host) \($0.interface.shown)" }))",
        remedy: "set \(variables.map { "\($0)=\(best)" }.joined(separator: " and "))")
    ]
  }

  private static func interfacesInUse(_ network: NetworkFacts) -> [Interface] {
    network.interfaces.filter { interface in
      network.include.isEmpty
        ? !NetworkFacts.matches(network.exclude, interface) : NetworkFacts.matches(network.include, interface)
    }
  }

  /// That of its slowest member.
  private static func speed(_ network: String, _ interfaces: [Interface]) -> Int {
    interfaces.filter { $0.network == network }.map { $0.speed ?? 0 }.min() ?? 0
  }
}
