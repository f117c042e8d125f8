import CShared
import Glibc
import MPI
import Runtime

/// The sums of a step's buckets over all ranks (docs/ARCHITECTURE.md, "Exact sums"). The ranks of a host add in memory
/// that they share, each a part of every bucket. Then the first rank of each host sums over the hosts: it alone is on
/// the network. So it makes no difference which rank lies on which host, and sums are the same bits either way.
///
/// Every rank starts the same buckets in the same order, all of them, and takes them in that order. Starting and taking
/// allocate nothing.
package final class BucketSums {
  private let buckets: GradientBuckets
  private let host: HostMessages
  /// Of the first rank of each host, if there are several.
  private let hosts: (any HostsSum)?
  private let spansHosts: Bool
  private let ranks: Int
  /// Whether a rank that waits lets others have its core.
  private let yields: Bool
  /// Calls of `start` and `take` since the first step.
  private var (starts, takes) = (0, 0)
  /// Buckets since then: started and taken by this rank, summed over the host in this rank's part, sent to other hosts,
  /// and back from there.
  private var (started, taken, summed, sent, finished) = (0, 0, 0, 0, 0)

  /// Every rank calls it.
  package convenience init(_ buckets: GradientBuckets, _ communicator: Communicator) throws(MPIError) {
    try self.init(buckets, communicator, host: communicator.onThisHost())
  }

  /// - Parameters:
  ///   - group: the ranks that share memory, this one among them.
  ///   - schedule: how hosts sum; nil: by their number.
  package init(
    _ buckets: GradientBuckets, _ communicator: Communicator, host group: Communicator,
    schedule: HostsSchedule? = nil
  ) throws(MPIError) {
    self.buckets = buckets
    ranks = communicator.size
    // A rank by itself has its sums in its message.
    let hasSums = ranks > 1
    yields = hasSums ? try World.Parameters().yieldsWhenIdle ?? true : false
    let shared = try HostMessages(buckets, group, hasSums: hasSums)
    // Where one host cannot share memory, none does.
    let isShared = try communicator.minimum([shared == nil ? 0 : 1])[0] == 1
    if !isShared { shared?.unmap() }
    host = isShared ? shared! : HostMessages(buckets, hasSums: hasSums)
    spansHosts = communicator.size > host.size
    let firsts = try isShared ? communicator.firsts(of: group) : communicator
    if spansHosts, let firsts {
      hosts = (schedule ?? HostsSchedule(hosts: firsts.size)).make(buckets, host, firsts)
    } else {
      hosts = nil
    }
  }

  // MPI may still write into a message on the way out after an error: that is left where it is.
  deinit { if hosts?.isUnderWay != true { host.unmap() } }

  /// What this rank adds, until a bucket is started. Once a bucket is taken, what is in it beside the gradients is the
  /// sums of all ranks.
  package var message: UnsafeMutableBufferPointer<Int64> {
    UnsafeMutableBufferPointer(start: host.message(host.rank), count: buckets.messageCount)
  }

  /// Begins to sum the next bucket over the ranks, and returns at once.
  package func start(_ bucket: Int) throws {
    precondition(bucket == starts % buckets.count && starts - takes < buckets.count, "bucket \(bucket) out of turn")
    starts += 1
    let place = buckets.place(bucket)
    let length = shared_put(message.baseAddress! + place.lowerBound, place.count, ranks)
    // This rank takes no part in a sum into which it puts nothing.
    guard length > 0 else { return }
    started += 1
    host[length: bucket, of: host.rank] = length
    host.publish(.started, started)
    try progress()
  }

  /// Lets what is under way advance, without waiting.
  package func progress() throws {
    while summed < started, summed < host.everyone(.started) {
      try sumOverHost(summed % buckets.count)
      summed += 1
      host.publish(.summed, summed)
    }
    guard let hosts else { return }
    while sent < summed, sent < host.everyone(.summed), hosts.hasRoom {
      try hosts.start(sent % buckets.count)
      sent += 1
    }
    while try hosts.takeOldest() {
      finished += 1
      host.publish(.finished, finished)
    }
  }

  /// Returns when the next bucket is summed over all ranks; until then calls `meanwhile` again and again.
  package func take(_ bucket: Int, meanwhile: () throws -> Void) throws {
    precondition(bucket == takes % buckets.count && takes < starts, "bucket \(bucket) out of turn")
    takes += 1
    guard taken < started else { return }
    while true {
      for _ in 0..<Self.looks {
        try progress()
        if isFinished(taken) { return copyWords(bucket) }
      }
      if yields { sched_yield() }
      try meanwhile()
    }
  }

  /// Between two calls of `meanwhile`: some 10 microseconds, a millisecond where many messages are under way.
  private static let looks = 100

  private func isFinished(_ bucket: Int) -> Bool {
    (spansHosts ? host.count(.finished, of: 0) : host.everyone(.summed)) > bucket
  }

  /// What others wrote of a bucket is this rank's now.
  private func copyWords(_ bucket: Int) {
    taken += 1
    guard ranks > 1 else { return }
    let (place, words) = (buckets.wordPlace(bucket), buckets.words(bucket))
    (host.message(host.rank) + place.lowerBound).update(from: host.words + words.lowerBound, count: words.count)
  }

  /// The sums of `gradients`, which are of a bucket that was taken.
  package func decode(_ gradients: Range<Int>, of bucket: Int, into values: UnsafeMutablePointer<Float>) {
    if ranks > 1 {
      values.update(from: host.gradients + gradients.lowerBound, count: gradients.count)
    } else {
      FixedPoint.decode(
        host.message(0) + buckets.place(of: gradients.lowerBound, in: bucket), count: gradients.count, into: values)
    }
  }

  /// This rank's part of a bucket; the first takes what is not a gradient, too. The sums replace what the host's first
  /// rank had.
  private func sumOverHost(_ bucket: Int) throws {
    let length = buckets.place(bucket).count
    for rank in 0..<host.size where host[length: bucket, of: rank] != length {
      throw MessagesDiffer(lengths: (host[length: bucket, of: rank], length))
    }
    guard host.size > 1 else { return }
    let part = buckets.range(bucket).part(host.rank, of: host.size)
    for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.block) {
      let block = start..<min(start + Self.block, part.upperBound)
      add(buckets.place(of: start, in: bucket), count: block.count)
      // While they are in the cache.
      if !spansHosts { host.showGradients(block, of: bucket, buckets) }
    }
    guard host.rank == 0 else { return }
    add(buckets.wordPlace(bucket).lowerBound, count: buckets.wordPlace(bucket).count)
    if !spansHosts { host.showWords(of: bucket, buckets) }
  }

  /// Adds values from `place` on over the host.
  private func add(_ place: Int, count: Int) {
    let sums = host.message(0) + place
    for rank in 1..<host.size {
      let terms = host.message(rank) + place
      for index in 0..<count { sums[index] &+= terms[index] }
    }
  }

  /// Integers of 32 KiB.
  private static let block = 4096
}

extension Range<Int> {
  /// Part `index` of `count` equal ones, cut so that two ranks write to hardly any line of a cache together.
  fileprivate func part(_ index: Int, of count: Int) -> Range<Int> {
    func cut(_ index: Int) -> Int {
      index == count ? upperBound : Swift.min(lowerBound + self.count * index / count / 16 * 16, upperBound)
    }
    return cut(index)..<cut(index + 1)
  }
}

/// Ranks of one host put different numbers of values into one sum.
struct MessagesDiffer: ExitCoded, CustomStringConvertible {
  let lengths: (Int, Int)
  let exitCode = ExitCode.ranksDisagree
  var description: String {
    "the ranks summed messages that do not belong together: one of \(lengths.0) values, one of \(lengths.1); nothing was "
      + "saved of that: go on from the last checkpoint"
  }
}
