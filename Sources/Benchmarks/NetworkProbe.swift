import MPI
import Reduction
import Runtime
import Scaling

/// What the links between the ranks there are can do, class by class: exchanges of two ranks, and sums as a step makes
/// them. Every rank calls it; the same records on all.
package struct NetworkProbe {
  private let communicator: Communicator
  private let options: RepeatOptions
  /// The host of each rank.
  private let hosts: [String]
  private let onHost: Communicator
  private let firsts: Communicator?

  package init(_ communicator: Communicator, options: RepeatOptions) throws {
    self.communicator = communicator
    self.options = options
    hosts = try Self.hosts(communicator)
    onHost = try communicator.onThisHost()
    firsts = try communicator.firsts(of: onHost)
  }

  static func hosts(_ communicator: Communicator) throws -> [String] {
    try communicator.gatherVarying(Array(Platform.host.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// - Parameter largest: bytes of the largest message. Sizes end sooner where the next would take
  ///   longer than a second.
  package func run(largest: Int) throws -> [TransferRecord] {
    var records: [TransferRecord] = []
    for link in [TransferRecord.Link.host, .network] {
      records += try exchanges(link, sizes: Self.sizes(from: 8, to: largest))
    }
    for link in TransferRecord.Link.allCases {
      records += try sums(link, sizes: Self.sizes(from: 1 << 10, to: largest))
    }
    return records
  }

  /// The classes of links that two ranks at least share.
  package var links: [TransferRecord.Link] {
    let counts = Dictionary(grouping: hosts) { $0 }.values.map(\.count)
    return (counts.max()! > 1 ? [.host] : []) + (counts.count > 1 ? [.network] : [])
  }

  /// By eights, and the largest.
  private static func sizes(from least: Int, to largest: Int) -> [Int] {
    Array(sequence(first: least) { $0 * 8 }.prefix { $0 < largest }) + [largest]
  }

  /// The ranks of a class that measure here, and the hosts of those that measure anywhere.
  private func members(_ link: TransferRecord.Link) -> (own: Communicator?, hosts: [String]) {
    let counts = Dictionary(grouping: hosts) { $0 }
    switch link {
    case .all: return (communicator, hosts)
    case .host:
      // The host with the most ranks tells of all: each host measures by itself.
      let fullest = counts.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }!
      return (onHost.size == fullest.value.count ? onHost : nil, fullest.value)
    case .network:
      var seen: Set<String> = []
      return (firsts, hosts.filter { seen.insert($0).inserted })
    }
  }

  /// Sums of a class; empty where fewer than two ranks are of it.
  package func sums(_ link: TransferRecord.Link, sizes: [Int]) throws -> [TransferRecord] {
    let (own, hosts) = members(link)
    // One host has no network, and ranks that are all on one, or each on its own, are one class, not two.
    guard hosts.count > 1, link != .all || Set(hosts).count > 1 && Set(hosts).count < hosts.count else { return [] }
    return try measured(sizes) { bytes in
      guard let own else { return nil }
      let timer = try SumTimer(own, bytes: bytes)
      let seconds = try timer.seconds(options)
      let alone = try own.largest(seconds: [Measurements(seconds).median])[0]
      return (seconds, try timer.overlap(alone: alone))
    }.map { bytes, seconds, overlap in
      TransferRecord(kind: .sum, link: link, hosts: hosts, bytes: bytes, seconds: seconds, overlap: overlap)
    }
  }

  /// Between the first two ranks of a class.
  private func exchanges(_ link: TransferRecord.Link, sizes: [Int]) throws -> [TransferRecord] {
    let (own, hosts) = members(link)
    guard hosts.count > 1 else { return [] }
    let isFirst = try communicator.minimum([own.map { $0.rank < 2 ? Int64(communicator.rank) : .max } ?? .max])
    // Of several hosts as full, the one with the lowest rank.
    let host = link == .host ? self.hosts[Int(isFirst[0])] : nil
    let takesPart = own.map { $0.rank < 2 && (host == nil || host == Platform.host) } ?? false
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * sizes.max()!, alignment: 64)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    defer { buffer.deallocate() }
    return try measured(sizes) { bytes in
      guard takesPart, let own else { return nil }
      let sent = UnsafeMutableRawBufferPointer(rebasing: buffer[..<bytes])
      let received = UnsafeMutableRawBufferPointer(rebasing: buffer[sizes.max()!..<sizes.max()! + bytes])
      func time(_ calls: Int) throws -> Double {
        let watch = Stopwatch()
        for _ in 0..<calls { try own.exchange(sent, into: received, with: 1 - own.rank) }
        return watch.seconds / Double(calls)
      }
      for _ in 0..<max(1, options.warmUp) { _ = try time(1) }
      // As many on both sides, whatever each of them measures.
      let calls = bytes <= 1 << 16 ? 20 : 1
      return (try (0..<options.repeats).map { _ in try time(calls) }, nil)
    }.map { bytes, seconds, _ in
      TransferRecord(kind: .exchange, link: link, hosts: Array(hosts.prefix(2)), bytes: bytes, seconds: seconds)
    }
  }

  /// `body` on the ranks that take part; the others sleep. By the slowest of each repeat, and the least overlap.
  private func measured(
    _ sizes: [Int], _ body: (Int) throws -> (seconds: [Double], overlap: Double?)?
  ) throws -> [(bytes: Int, seconds: [Double], overlap: Double?)] {
    var results: [(Int, [Double], Double?)] = []
    for bytes in sizes {
      let mine = try body(bytes)
      try communicator.barrier {}
      let seconds = try communicator.largest(seconds: mine?.seconds ?? Array(repeating: 0, count: options.repeats))
      let lost = try communicator.largest(seconds: [mine.map { 1 - ($0.overlap ?? 2) } ?? -1])[0]
      results.append((bytes, seconds, lost >= 0 ? 1 - lost : nil))
      // The next is eight times as large.
      if Measurements(seconds).median > 0.125 { break }
    }
    return results
  }
}
