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
