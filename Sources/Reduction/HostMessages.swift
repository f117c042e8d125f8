import Glibc
import MPI
import Synchronization

/// The messages of a host's ranks, in memory that they share, and how far each rank is with them. A rank by itself has
/// its message alone.
final class HostMessages {
  /// How many buckets a rank has come to, since the first step.
  enum Stage: Int {
    /// They are in its message, for the others to read.
    case started
    /// Its part of them is summed over the host.
    case summed
    /// Of the host's first rank: their sums over all ranks are there.
    case finished
  }

  /// This rank's number on the host, and how many there are.
  let rank, size: Int
  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
  private let places: Places

  /// Every rank of `host` calls it. Nil on all of them where memory cannot be shared. `hasSums`: there is room for
  /// sums.
  convenience init?(_ buckets: GradientBuckets, _ host: Communicator, hasSums: Bool) throws(MPIError) {
    guard host.size > 1 else {
      self.init(buckets, hasSums: hasSums)
      return
    }
    let places = Places(buckets, ranks: host.size, hasSums: hasSums)
    guard let memory = try SharedMemory.map(places.count, on: host) else { return nil }
    self.init(places, memory, rank: host.rank, size: host.size)
  }

  /// Of a rank by itself.
  convenience init(_ buckets: GradientBuckets, hasSums: Bool) {
    let places = Places(buckets, ranks: 1, hasSums: hasSums)
    let memory = mmap(nil, places.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard memory != MAP_FAILED, let memory else { fatalError("no memory of \(places.count) bytes for sums") }
    self.init(places, memory, rank: 0, size: 1)
  }

  private init(_ places: Places, _ memory: UnsafeMutableRawPointer, rank: Int, size: Int) {
    self.memory = memory
    self.places = places
    self.rank = rank
    self.size = size
  }

  /// The memory is not to be read or written any more, MPI included.
  func unmap() { munmap(memory, places.count) }

  /// The buckets of a rank, one after the other.
  func message(_ rank: Int) -> UnsafeMutablePointer<Int64> {
    (memory + places.message(rank)).assumingMemoryBound(to: Int64.self)
  }
  /// The sums of gradients as numbers, in the order of the message.
  var gradients: UnsafeMutablePointer<Float> {
    (memory + places.gradients).assumingMemoryBound(to: Float.self)
  }
  /// The sums of what is not a gradient, in the order of the message.
  var words: UnsafeMutablePointer<Int64> { (memory + places.words).assumingMemoryBound(to: Int64.self) }

  /// How many values rank `rank` has put into a bucket that it has started.
  subscript(length bucket: Int, of rank: Int) -> Int {
    get { lengths(rank)[bucket] }
    set { lengths(rank)[bucket] = newValue }
  }
  private func lengths(_ rank: Int) -> UnsafeMutablePointer<Int> {
    (memory + places.lengths(rank)).assumingMemoryBound(to: Int.self)
  }

  /// Who sees the new count sees all that this rank wrote before.
  func publish(_ stage: Stage, _ count: Int) { counter(stage, rank).pointee.store(count, ordering: .releasing) }
  func count(_ stage: Stage, of rank: Int) -> Int { counter(stage, rank).pointee.load(ordering: .acquiring) }
  /// What every rank of the host has come to.
  func everyone(_ stage: Stage) -> Int {
    var least = Int.max
    for rank in 0..<size { least = min(least, count(stage, of: rank)) }
    return least
  }
  /// Zeros, as the system gives them, are numbers of this type.
  private func counter(_ stage: Stage, _ rank: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    (memory + rank * Places.line).assumingMemoryBound(to: Atomic<Int>.self) + stage.rawValue
  }

  /// Writes sums from the first rank's message where all ranks of the host read them.
  func showGradients(_ gradients: Range<Int>, of bucket: Int, _ buckets: GradientBuckets) {
    FixedPoint.decode(
      message(0) + buckets.place(of: gradients.lowerBound, in: bucket), count: gradients.count,
      into: self.gradients + gradients.lowerBound)
  }
  func showWords(of bucket: Int, _ buckets: GradientBuckets) {
    let place = buckets.wordPlace(bucket)
    (words + buckets.words(bucket).lowerBound).update(from: message(0) + place.lowerBound, count: place.count)
  }

  /// Where what lies, in bytes. What one rank alone writes begins on a page of its own, so that it lies in the memory
  /// next to that rank's core.
  private struct Places {
    /// Of a rank's counters: no two ranks write to one line of a cache.
    static let line = 128
    private static let page = 4096
    private let lengthsStart, lengthsSize, messagesStart, messageSize: Int
    let gradients, words, count: Int

    init(_ buckets: GradientBuckets, ranks: Int, hasSums: Bool) {
      func pages(_ bytes: Int) -> Int { (bytes + Self.page - 1) / Self.page * Self.page }
      lengthsStart = ranks * Self.line
      lengthsSize = (buckets.count * MemoryLayout<Int>.size + Self.line - 1) / Self.line * Self.line
      messagesStart = pages(lengthsStart + ranks * lengthsSize)
      messageSize = pages(buckets.messageCount * MemoryLayout<Int64>.size)
      gradients = messagesStart + ranks * messageSize
      words = gradients + (hasSums ? pages(buckets.gradients * MemoryLayout<Float>.size) : 0)
      count = words + (hasSums ? pages(buckets.wordCount * MemoryLayout<Int64>.size) : 0)
    }

    func lengths(_ rank: Int) -> Int { lengthsStart + rank * lengthsSize }
    func message(_ rank: Int) -> Int { messagesStart + rank * messageSize }
  }
}
