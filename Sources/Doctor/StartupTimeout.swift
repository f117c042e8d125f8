import Foundation
import Glibc
import MPI
import Reporting
import Runtime

/// Ends a job whose ranks do not hear each other: Open MPI itself waits for ever where it has taken a host's own bridge
/// for a way to another host, with the same address on both.
package final class StartupTimeout: @unchecked Sendable {
  private let lock = NSLock()
  private var isOver = false

  /// Until `end`: after `seconds`, says on standard error what this host can know, and ends the process with status 75:
  /// it may have been a host that is only just back.
  package init(seconds: Double) {
    let environment = ProcessInfo.processInfo.environment
    let local = MPIFamily.value(\.localRankVariable, in: environment) ?? environment["SLURM_LOCALID"]
    let isFirstOfHost = (local ?? "0") == "0"
    Thread.detachNewThread { [self] in
      guard !ends(within: seconds) else { return }
      var facts = RankFacts()
      facts.host = Platform.host
      facts.launch.library = World.libraryVersion
      facts.network.interfaces = NetworkFacts.systemInterfaces()
      let finding = Self.finding(facts, environment: environment, seconds: Int(seconds))
      if isFirstOfHost { Fatal.write("icp: \(finding.message)") }
      // The first end ends the others, which may still have to write theirs.
      if !ends(within: 1) { _exit(finding.exitStatus ?? ExitCode.temporary) }
    }
  }

  package func end() { lock.withLock { isOver = true } }

  /// Counts what it slept: waits with a deadline follow the wall clock, which may jump.
  private func ends(within seconds: Double) -> Bool {
    for _ in 0..<Int(seconds * 20) where !lock.withLock({ isOver }) { usleep(50_000) }
    return lock.withLock { isOver }
  }

  /// What a rank alone can say: its own interfaces and, from mpirun's address, which of them lead to mpirun's host.
  package static func finding(_ facts: RankFacts, environment: [String: String], seconds: Int) -> Finding {
    let size = MPIFamily.value(\.sizeVariable, in: environment) ?? environment["SLURM_STEP_NUM_TASKS"]
    guard size == nil || size != MPIFamily.value(\.localSizeVariable, in: environment) else {
      return .error(
        "network", "\(facts.host): no word from the other ranks for \(seconds) s",
        remedy: "see whether each of them runs (ps)", exitStatus: ExitCode.temporary)
    }
    let uris = MPIFamily.all.flatMap(\.launcherAddresses).compactMap { environment[$0] }
    let launcher = addresses(ofLauncher: uris.first ?? "")
    let own = facts.network.interfaces.filter { !isOwnBridge($0.name) }
    let towards = own.filter { interface in
      !launcher.contains(interface.address)
        && launcher.contains { ($0 ^ interface.address) & NetworkFacts.mask(interface.prefix) == 0 }
    }
    let best = towards.first ?? (own.count == 1 ? own.first : nil)
    let name = best?.network ?? "the network that all hosts are on, as in 10.0.0.0/8,"
    let interfaces = listed(facts.network.interfaces.map(\.shown), most: 12)
    return .error(
      "network", "\(facts.host): no word from the other hosts for \(seconds) s; this one is on \(interfaces)",
      remedy: "set \(facts.launch.family.networkVariables.joined(separator: " and ")) to \(name) "
        + "and see that no firewall is in between", exitStatus: ExitCode.temporary)
  }

  /// 10.0.0.1 and 10.9.0.1 of "123.0;tcp://10.0.0.1,10.9.0.1:4711;tcp6://...", or of Open MPI 5's
  /// "...;tcp4://10.0.0.1:51387"
  private static func addresses(ofLauncher uri: String) -> [UInt32] {
    guard let part = uri.split(separator: ";").first(where: { $0.hasPrefix("tcp://") || $0.hasPrefix("tcp4://") })
    else {
      return []
    }
    return part.drop { $0 != "/" }.dropFirst(2).prefix { $0 != ":" }.split(separator: ",").compactMap {
      NetworkFacts.address($0)
    }
  }

  /// By the names that container engines and hypervisors give them.
  private static func isOwnBridge(_ name: String) -> Bool {
    ["docker", "virbr", "br-", "cni", "lxc", "lxd", "podman", "veth"].contains { name.hasPrefix($0) }
  }
}
