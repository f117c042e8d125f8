import MPI

/// How the first ranks of the hosts sum what each has of its host: from its message into the host's sums.
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

  /// Every host sends every other as many messages: where there are very many hosts, those become too short.
  init(hosts: Int) { self = hosts <= 64 ? .segments : .allreduce }

  func make(_ buckets: GradientBuckets, _ host: HostMessages, _ hosts: Communicator) -> any HostsSum {
    switch self {
    case .allreduce: AllReducedSums(buckets, host, hosts)
    case .segments: SegmentedSums(buckets, host, hosts)
    }
  }
}

/// By `MPI_Iallreduce`, a bucket a call.
final class AllReducedSums: HostsSum {
  private let buckets: GradientBuckets
  private let host: HostMessages
  private let pending: PendingSums
  private var taken = 0

  init(_ buckets: GradientBuckets, _ host: HostMessages, _ hosts: Communicator) {
    self.buckets = buckets
    self.host = host
    pending = PendingSums(capacity: buckets.count, communicator: hosts)
  }

  let hasRoom = true
  var isUnderWay: Bool { pending.isUnderWay }

  func start(_ bucket: Int) throws {
    let place = buckets.place(bucket)
    try pending.start(UnsafeMutableBufferPointer(start: host.message(0) + place.lowerBound, count: place.count))
  }

  func takeOldest() throws -> Bool {
    guard try pending.takeOldest() else { return false }
    let bucket = taken % buckets.count
    host.showGradients(buckets.range(bucket), of: bucket, buckets)
    host.showWords(of: bucket, buckets)
    taken += 1
    return true
  }
}
