import MPI

/// Sums over the hosts in segments of at most 8 KiB, from host to host: each host adds up those that are its own, and
/// sends every other the results, of gradients as float32. So a gradient takes 12 bytes of each link in all, where an
/// allreduce of integers takes 16; and what is short enough is sent at once (eagerly), without asking whether the other
/// side is ready.
final class SegmentedSums: HostsSum {
  /// Values of a segment lie one after the other in the message, all of them gradients, or none.
  private struct Segment {
    /// The host that adds it up.
    let owner: Int
    let place: Range<Int>
    /// Where its sums go: gradients, or others, counted through.
    let values: Range<Int>
    let isGradient: Bool
  }

  private let host: HostMessages
  private let hosts: Communicator
  private let messages: PendingMessages
  /// Of each bucket.
  private let segments: [[Segment]]
  /// Terms of other hosts, for each bucket under way: a segment's in turn, of each host.
  private let terms: UnsafeMutablePointer<Int64>
  private let termsOfBucket: Int
  /// For each bucket under way and segment, how many terms are to come.
  private let missing: UnsafeMutablePointer<Int>
  private let mostSegments: Int
  /// For each bucket under way, messages that are not done, without terms of other hosts; and segments of this host's
  /// that are not added up.
  private var left: [Int]
  private var (started, taken) = (0, 0)

  /// Buckets under way at once: another is on its way while one comes back.
  private static let room = 2
  private static let longest = 1024

  init(_ buckets: GradientBuckets, _ host: HostMessages, _ hosts: Communicator) {
    self.host = host
    self.hosts = hosts
    segments = (0..<buckets.count).map { Self.segments($0, buckets, hosts: hosts.size) }
    mostSegments = segments.map(\.count).max()!
    precondition(mostSegments < Self.tags, "\(mostSegments) segments of a bucket")
    let others = hosts.size - 1
    let own = (mostSegments + others) / hosts.size
    termsOfBucket = own * others * Self.longest
    terms = .allocate(capacity: Self.room * termsOfBucket)
    terms.initialize(repeating: 0, count: Self.room * termsOfBucket)
    missing = .allocate(capacity: Self.room * mostSegments)
    missing.initialize(repeating: 0, count: Self.room * mostSegments)
    left = Array(repeating: 0, count: Self.room)
    // Of a segment of its own a host receives and sends as many as there are other hosts, of others one each way.
    messages = PendingMessages(
      capacity: Self.room * 2 * (mostSegments + own * others), communicator: hosts)
  }

  deinit {
    missing.deallocate()
    if !isUnderWay { terms.deallocate() }
  }

  /// Gradients, and then the others, each cut so that every host has some, if there are enough.
  private static func segments(_ bucket: Int, _ buckets: GradientBuckets, hosts: Int) -> [Segment] {
    var segments: [Segment] = []
    func cut(_ place: Range<Int>, values: Int, isGradient: Bool) {
      let length = max(1, min(longest, (place.count + hosts - 1) / hosts))
      for start in stride(from: place.lowerBound, to: place.upperBound, by: length) {
        let part = start..<min(start + length, place.upperBound)
        let first = values + start - place.lowerBound
        segments.append(
          Segment(
            owner: segments.count % hosts, place: part, values: first..<first + part.count, isGradient: isGradient))
      }
    }
    let range = buckets.range(bucket)
    let first = buckets.place(of: range.lowerBound, in: bucket)
    cut(first..<first + range.count, values: range.lowerBound, isGradient: true)
    cut(buckets.wordPlace(bucket), values: buckets.words(bucket).lowerBound, isGradient: false)
    return segments
  }

  var hasRoom: Bool { started - taken < Self.room }
  var isUnderWay: Bool { messages.isUnderWay }

  func start(_ bucket: Int) throws {
    precondition(hasRoom && bucket == started % segments.count, "bucket \(bucket) out of turn")
    let turn = started % Self.room
    started += 1
    let segments = segments[bucket]
    left[turn] = 0
    for (index, segment) in segments.enumerated() {
      if segment.owner == hosts.rank {
        missing[turn * mostSegments + index] = hosts.size - 1
        left[turn] += 1
        for other in 1..<hosts.size {
          let from = (hosts.rank + other) % hosts.size
          let bytes = UnsafeMutableRawBufferPointer(start: term(turn, index, other), count: segment.place.count * 8)
          try messages.receive(bytes, from: from, tag: tag(turn), mark: mark(turn, index, term: other))
        }
      } else {
        try messages.receive(
          sums(segment), from: segment.owner, tag: tag(turn, index), mark: mark(turn, index))
      }
    }
    // To every other host in turn, each beginning with its neighbour: no link gets everything at once.
    for first in stride(from: 0, to: segments.count, by: hosts.size) {
      for other in 1..<hosts.size {
        let index = first + (hosts.rank + other) % hosts.size
        guard index < segments.count else { continue }
        let bytes = UnsafeRawBufferPointer(
          start: host.message(0) + segments[index].place.lowerBound, count: segments[index].place.count * 8)
        try messages.send(bytes, to: segments[index].owner, tag: tag(turn), mark: mark(turn, index))
      }
    }
    left[turn] += 2 * segments.count(where: { $0.owner != hosts.rank })
  }

  func takeOldest() throws -> Bool {
    try messages.takeDone { [self] mark in
      let (turn, index, other) = Self.parts(mark)
      if other > 0 { try add(turn, index, other) } else { left[turn] -= 1 }
    }
    guard taken < started, left[taken % Self.room] == 0 else { return false }
    taken += 1
    return true
  }

  /// The bucket that is under way at `turn`.
  private func bucket(_ turn: Int) -> Int {
    let oldest = taken % Self.room
    return (taken + (turn - oldest + Self.room) % Self.room) % segments.count
  }

  private func add(_ turn: Int, _ index: Int, _ other: Int) throws {
    let segment = segments[bucket(turn)][index]
    let (sums, terms) = (host.message(0) + segment.place.lowerBound, term(turn, index, other))
    for value in 0..<segment.place.count { sums[value] &+= terms[value] }
    missing[turn * mostSegments + index] -= 1
    guard missing[turn * mostSegments + index] == 0 else { return }
    if segment.isGradient {
      FixedPoint.decode(sums, count: segment.values.count, into: host.gradients + segment.values.lowerBound)
    } else {
      (host.words + segment.values.lowerBound).update(from: sums, count: segment.values.count)
    }
    for other in 1..<hosts.size {
      try messages.send(
        UnsafeRawBufferPointer(self.sums(segment)), to: (hosts.rank + other) % hosts.size, tag: tag(turn, index),
        mark: mark(turn, index))
    }
    left[turn] += hosts.size - 2
  }

  /// Where all ranks of the host read the sums of a segment.
  private func sums(_ segment: Segment) -> UnsafeMutableRawBufferPointer {
    segment.isGradient
      ? UnsafeMutableRawBufferPointer(
        start: host.gradients + segment.values.lowerBound, count: segment.values.count * MemoryLayout<Float>.size)
      : UnsafeMutableRawBufferPointer(
        start: host.words + segment.values.lowerBound, count: segment.values.count * MemoryLayout<Int64>.size)
  }

  private func term(_ turn: Int, _ index: Int, _ other: Int) -> UnsafeMutablePointer<Int64> {
    terms + turn * termsOfBucket + (index / hosts.size * (hosts.size - 1) + other - 1) * Self.longest
  }

  /// Terms of one host come in order. Sums do not: each has a tag of its own. MPI has 32,767 at least.
  private func tag(_ turn: Int, _ index: Int = -1) -> Int { turn * Self.tags + index + 1 }
  private static let tags = 16_000

  /// Of a message about a segment; `term`: of the term that another host sends, counted from this one.
  private func mark(_ turn: Int, _ index: Int, term other: Int = 0) -> Int { (turn << 16 | index) << 16 | other }
  private static func parts(_ mark: Int) -> (turn: Int, index: Int, term: Int) {
    (mark >> 32, mark >> 16 & 0xffff, mark & 0xffff)
  }
}
