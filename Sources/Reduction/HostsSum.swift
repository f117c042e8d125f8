import MPI

/// How the first ranks of the hosts sum over the hosts: from their messages into each host's sums.
protocol HostsSum: AnyObject {
  /// Whether another bucket may start.
  var hasRoom: Bool { get }
  /// Whether MPI may still read or write what was started.
  var isUnderWay: Bool { get }
  /// Begins to sum a bucket. Every host starts the same buckets in the same order.
  func start(_ bucket: Int) throws
  /// Whether the oldest bucket not yet taken is summed; then it is taken. Lets all that is under way advance.
  func takeOldest() throws -> Bool
}

/// The ways in which hosts may sum. All give the same bits.
package enum HostsSchedule: String, CaseIterable, Sendable {
  /// MPI's own allreduce of integers.
  case allreduce
  /// `SegmentedSums`.
  case segments

  /// Every host sends segments to every other: with very many hosts they become many and short.
  init(hosts: Int) { self = hosts <= 64 ? .segments : .allreduce }

  func make(_ buckets: GradientBuckets, _ host: HostMessages, _ hosts: Communicator) -> any HostsSum {
    switch self {
    case .allreduce: AllReducedSums(buckets, host, hosts)
    case .segments: SegmentedSums(buckets, host, hosts)
    }
  }
}
