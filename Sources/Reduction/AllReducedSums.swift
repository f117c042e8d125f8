import MPI

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
