import Foundation
import MPI
import Runtime

/// The networks a host is on.
package struct NetworkFacts: Codable, Sendable {
  /// An interface that is up, with an IPv4 address, which Open MPI uses unless told otherwise; not the loopback's.
  package struct Interface: Codable, Sendable, Equatable {
    package var name: String
    package var address: UInt32
    package var prefix: Int
    /// Mbit/s, where the driver says.
    package var speed: Int?

    package init(_ name: String, _ address: String, prefix: Int, speed: Int? = nil) {
      self.name = name
      self.prefix = prefix
      self.speed = speed
      self.address = NetworkFacts.address(address) ?? 0
    }

    /// "192.0.2.0/24"
    package var network: String { NetworkFacts.text(address & NetworkFacts.mask(prefix)) + "/\(prefix)" }
    package var shown: String { "\(name) \(NetworkFacts.text(address))/\(prefix)" }
  }

  package var interfaces: [Interface] = []
  /// What Open MPI has been told to use, and to leave alone: names, or networks as in "10.0.0.0/8".
  package var include = ""
  package var exclude = ""

  package init() {}

  static func read(_ environment: [String: String], _ parameters: borrowing World.Parameters) -> NetworkFacts {
    var facts = NetworkFacts()
    facts.interfaces = systemInterfaces()
    // Open MPI empties a value that matches no interface.
    func setting(_ name: String) -> String {
      environment["OMPI_MCA_\(name)"] ?? parameters.value(name) ?? ""
    }
    facts.include = setting("btl_tcp_if_include")
    facts.exclude = setting("btl_tcp_if_exclude")
    return facts
  }

  static func systemInterfaces() -> [Interface] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var interfaces: [Interface] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard entry.ifa_flags & UInt32(IFF_UP) != 0, entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0,
        let address = ipv4(entry.ifa_addr), let mask = ipv4(entry.ifa_netmask)
      else { continue }
      let name = String(cString: entry.ifa_name)
      var interface = Interface(name, "", prefix: mask.nonzeroBitCount)
      interface.address = address
      interface.speed = ControlGroup.text("/sys/class/net/\(name)/speed").flatMap { Int($0) }.flatMap {
        $0 > 0 ? $0 : nil
      }
      interfaces.append(interface)
    }
    return interfaces
  }

  private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>?) -> UInt32? {
    guard let address, address.pointee.sa_family == sa_family_t(AF_INET) else { return nil }
    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
    }
  }

  static func mask(_ prefix: Int) -> UInt32 { prefix <= 0 ? 0 : ~0 << UInt32(32 - min(prefix, 32)) }

  static func address(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".").compactMap { UInt8($0) }
    guard parts.count == 4 else { return nil }
    return parts.reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func text(_ address: UInt32) -> String {
    stride(from: 24, through: 0, by: -8).map { "\(address >> UInt32($0) & 0xFF)" }.joined(separator: ".")
  }

  /// Whether an element of a list such as "eth0,10.0.0.0/8" names `interface`.
  static func matches(_ list: String, _ interface: Interface) -> Bool {
    list.split(separator: ",").contains { element in
      let parts = element.split(separator: "/")
      guard parts.count == 2, let network = address(parts[0]), let prefix = Int(parts[1]) else {
        return element == interface.name
      }
      return (network ^ interface.address) & mask(prefix) == 0
    }
  }
}

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
