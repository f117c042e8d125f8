import MPI
import Runtime
import Supervision

/// A long measurement in pieces that the ranks share. Between rounds of them the ranks ask each other whether one was
/// asked to stop, and then all leave: nobody waits in a later sum for a rank that has gone.
package struct SharedRounds {
  let communicator: Communicator
  let clock: PhaseClock
  private let stop: StopSignal

  package init(_ communicator: Communicator, _ clock: PhaseClock = PhaseClock(), _ stop: StopSignal = StopSignal()) {
    self.communicator = communicator
    self.clock = clock
    self.stop = stop
  }

  /// Runs `piece` for 0..<count, this rank's part of `total` pieces: no rank may have more than its even share of them,
  /// rounded up. Every rank calls it. Marks each piece as progress of the phase that is under way.
  func run(_ count: Int, of total: Int, piece: (Int) throws -> Void) throws {
    let (phase, most) = (clock.phase, (total + communicator.size - 1) / communicator.size)
    precondition(count <= most, "a rank has more than its share")
    var done = 0
    var size = 1
    while done < most {
      let watch = Stopwatch()
      for index in done..<min(done + size, count) {
        clock.beat()
        try piece(index)
      }
      done += size
      clock.enter(.exchange)
      let isAsked: Int64 = try stop.isRaised() ? 1 : 0
      let slowest = try communicator.maximum([isAsked, Int64(watch.seconds * 1e9)])
      guard slowest[0] == 0 else { throw StopRequested() }
      clock.enter(phase)
      size = Self.size(after: size, seconds: Double(slowest[1]) * 1e-9)
    }
  }

  /// The same on every rank, since the seconds are. A round is long beside the exchange, and short for who waits for
  /// the end.
  static func size(after size: Int, seconds: Double) -> Int {
    seconds < 0.1 ? size * 2 : seconds > 0.4 ? max(1, size / 2) : size
  }
}

extension SharedRounds {
  package init(_ communicator: Communicator, _ supervision: Supervision) {
    self.init(communicator, supervision.clock, supervision.stop)
  }
}
