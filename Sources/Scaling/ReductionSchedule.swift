/// What an allreduce by Rabenseifner's algorithm sends over which links, for ranks that lie on hosts in some way: as
/// Open MPI's libnbc does it, which training asks for. Neighbours in rank exchange first and most, so where ranks fill
/// hosts in order and their number a host is a power of two, hosts send each other no more than one rank would.
package struct ReductionSchedule: Equatable, Sendable {
  /// Exchanges, one after the other, that cross hosts; and that do not.
  package private(set) var networkRounds = 0.0
  package private(set) var hostRounds = 0.0
  /// For a byte of the message: bytes that the busiest host sends, and those that the busiest rank sends within a host.
  package private(set) var networkShare = 0.0
  package private(set) var hostShare = 0.0

  /// `hosts`: by rank.
  package init(hosts: [String]) {
    let numbers = Dictionary(uniqueKeysWithValues: Set(hosts).sorted().enumerated().map { ($1, $0) })
    self.init(hosts: hosts.map { numbers[$0]! })
  }

  package init(hosts: [Int]) {
    let ranks = hosts.count
    guard ranks > 1 else { return }
    var largest = 1
    while largest * 2 <= ranks { largest *= 2 }
    let extra = ranks - largest
    // Of the first 2 `extra` ranks each even one takes part for its odd neighbour too: half of the message goes over,
    // and half of it comes back as a sum; in the end the whole sum.
    let pairs = (0..<extra).map { (2 * $0, 2 * $0 + 1) }
    let inner = (0..<largest).map { $0 < extra ? 2 * $0 : $0 + extra }
    if extra > 0 {
      add(pairs, share: 0.5, bothWays: true, hosts)
      add(pairs, share: 0.5, bothWays: false, hosts)
    }
    var share = 0.5
    var distance = 1
    while distance < largest {
      let partners = (0..<largest).filter { $0 & distance == 0 }.map { (inner[$0], inner[$0 | distance]) }
      // There, and back in the gathering.
      for _ in 0..<2 { add(partners, share: share, bothWays: true, hosts) }
      share /= 2
      distance *= 2
    }
    if extra > 0 { add(pairs, share: 1, bothWays: false, hosts) }
  }

  private mutating func add(_ pairs: [(Int, Int)], share: Double, bothWays: Bool, _ hosts: [Int]) {
    var sent: [Int: Int] = [:]
    var within = false
    for (one, other) in pairs {
      guard hosts[one] != hosts[other] else {
        within = true
        continue
      }
      sent[hosts[one], default: 0] += 1
      // A link carries both directions at once.
      if bothWays { sent[hosts[other], default: 0] += 1 }
    }
    if let busiest = sent.values.max() {
      networkRounds += 1
      networkShare += Double(busiest) * share
    } else if within {
      hostRounds += 1
      hostShare += share
    }
  }
}
