/// What the sum of a step sends over which links, for ranks that lie on hosts in some way (`Reduction`): the ranks of a
/// host add in the memory that they share, and one rank of each host sums over the hosts. So only the number of hosts
/// counts, and that of ranks on the fullest, not which rank lies where.
package struct ReductionSchedule: Equatable, Sendable {
  /// Exchanges, one after the other, that cross hosts; and that do not.
  package private(set) var networkRounds = 0.0
  package private(set) var hostRounds = 0.0
  /// For a byte of the message: bytes that a host sends, and those that the busiest rank reads within a host.
  package private(set) var networkShare = 0.0
  package private(set) var hostShare = 0.0

  /// Up to so many hosts send each other segments; more of them make an allreduce (`HostsSchedule`).
  private static let mostInSegments = 64

  /// `hosts`: by rank.
  package init(hosts: [some Hashable]) {
    let ranks = Dictionary(grouping: hosts) { $0 }.values.map(\.count)
    if let fullest = ranks.max(), fullest > 1 {
      // Terms of the others for its part, and all sums of gradients, as float32.
      hostRounds = 2
      hostShare = Double(fullest - 1) / Double(fullest) + 0.5
    }
    guard ranks.count > 1 else { return }
    let others = Double(ranks.count - 1) / Double(ranks.count)
    if ranks.count <= Self.mostInSegments {
      // Terms to their owners as int64, sums of gradients to all as float32.
      networkRounds = 2
      networkShare = 1.5 * others
    } else {
      // Rabenseifner's algorithm, there and back in steps of half as much each; hosts beyond a power of two send all of
      // theirs to a neighbour first, and get all of it in the end.
      let steps = Int.bitWidth - 1 - ranks.count.leadingZeroBitCount
      let isPower = ranks.count == 1 << steps
      networkRounds = Double(2 * steps + (isPower ? 0 : 2))
      networkShare = 2 * (1 - 1 / Double(1 << steps)) + (isPower ? 0 : 2)
    }
  }
}
