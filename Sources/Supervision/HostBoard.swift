import Glibc
import MPI
import Runtime
import Synchronization

/// What each rank of this host is doing, in memory that they share: so the watchdog of a rank that waits can name the
/// one that is late, even if that one cannot speak any more. No file has this memory: nothing is left of it after a
/// kill.
package final class HostBoard: Sendable {
  /// A rank's line: numbers that it alone writes, each at once.
  package struct Line: Sendable {
    fileprivate enum Place: Int, CaseIterable { case rank, step, phase, since, limit, beat }
    /// Numbers of a line.
    package static let size = 8
    fileprivate nonisolated(unsafe) let numbers: UnsafeMutablePointer<Atomic<Int>>

    private func read(_ place: Place) -> Int { numbers[place.rawValue].load(ordering: .relaxed) }
    private func write(_ place: Place, _ value: Int) { numbers[place.rawValue].store(value, ordering: .relaxed) }

    package var rank: Int { read(.rank) }
    /// From 1; 0 before the first.
    package var step: Int { read(.step) }
    package var phase: Phase { Phase(rawValue: numbers[Place.phase.rawValue].load(ordering: .acquiring)) ?? .start }
    /// When the phase began, in nanoseconds of the monotonic clock, which the processes of a host share.
    package var since: Int { read(.since) }
    /// Nanoseconds that the phase may take.
    package var limit: Int { read(.limit) }
    /// When its watchdog last ran; 0 before it first did. It runs ten times a second, wherever the rank is.
    package var beat: Int { read(.beat) }

    package func set(rank: Int) { write(.rank, rank) }
    package func set(step: Int) { write(.step, step) }
    package func set(beat: Int) { write(.beat, beat) }
    /// A reader who sees the new phase sees the rest of it too: an old time with a new limit would look like a hang.
    package func set(phase: Phase, since: Int, limit: Int) {
      write(.since, since)
      write(.limit, limit)
      numbers[Place.phase.rawValue].store(phase.rawValue, ordering: .releasing)
    }

    /// Where a signal handler reads step and phase.
    package var addresses: (step: UnsafePointer<Int64>, phase: UnsafePointer<Int64>) {
      func address(_ place: Place) -> UnsafePointer<Int64> {
        UnsafePointer(UnsafeRawPointer(numbers + place.rawValue).assumingMemoryBound(to: Int64.self))
      }
      return (address(.step), address(.phase))
    }
  }

  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
  /// Of the ranks of this host, in their order.
  package let lines: [Line]
  package let mine: Line
  /// The communicator's.
  package let firstRank: Int

  /// Every rank calls it. Where memory cannot be shared each rank sees its own line alone.
  package convenience init(_ communicator: Communicator) throws(MPIError) {
    let host = try communicator.onThisHost()
    let bytes = host.size * Line.size * MemoryLayout<Int>.size
    if let memory = try SharedMemory.map(bytes, on: host) {
      self.init(
        memory, ranks: host.size, mine: host.rank, rank: communicator.rank, firstRank: communicator.firstRank)
    } else {
      self.init(rank: communicator.rank, firstRank: communicator.firstRank)
    }
    // So that no rank reads a line that is not written yet.
    try host.barrier()
  }

  /// A board of one line, nobody else's to see.
  package convenience init(rank: Int = 0, firstRank: Int = 0) {
    let bytes = Line.size * MemoryLayout<Int>.size
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(memory != MAP_FAILED, "no memory")
    self.init(memory!, ranks: 1, mine: 0, rank: rank, firstRank: firstRank)
  }

  /// Line `mine` of `ranks` lines in `memory`, mapped and zero at first, which boards of other ranks show too. Unmaps
  /// it at the end.
  package init(_ memory: UnsafeMutableRawPointer, ranks: Int, mine: Int, rank: Int, firstRank: Int = 0) {
    self.memory = memory
    self.firstRank = firstRank
    // Zeros, as the system gives them, are numbers of this type.
    let numbers = memory.assumingMemoryBound(to: Atomic<Int>.self)
    lines = (0..<ranks).map { Line(numbers: numbers + $0 * Line.size) }
    self.mine = lines[mine]
    self.mine.set(rank: rank)
    self.mine.set(phase: .start, since: Self.now, limit: .max)
  }

  deinit { munmap(memory, lines.count * Line.size * MemoryLayout<Int>.size) }

  /// Nanoseconds of the monotonic clock: it does not jump, and stands still while the machine sleeps.
  package static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
