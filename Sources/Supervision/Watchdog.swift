import Foundation
import Glibc
import Reporting
import Runtime

/// A thread that sees when this rank does not get on, says who is late and in which phase, and ends the process: a job
/// over MPI whose ranks wait for one that is stuck would wait for ever. mpirun then ends the others.
///
/// Its only message goes straight to the descriptor, and it leaves by `_exit`: whatever the other threads hold, it
/// needs nothing of them, nor of MPI.
final class Watchdog: Sendable {
  private let board: HostBoard
  private let rollCall: RollCall
  private let rank: Int
  private static let tick = 0.1
  /// Whoever waits gives the one that is late this long to speak for itself.
  private static let grace = 2.0
  /// A process whose watchdog has not run for so many seconds does not run.
  private static let silence = 2.0

  init(_ board: HostBoard, _ rollCall: RollCall, rank: Int) {
    self.board = board
    self.rollCall = rollCall
    self.rank = rank
  }

  /// Watches for the life of the process.
  func start() {
    Thread.detachNewThread { [self] in
      Thread.current.name = "icp watchdog"
      watch()
    }
  }

  private func watch() -> Never {
    var (last, lastTick) = (0, HostBoard.now)
    var seconds = 0.0
    var hasWarned = false
    while true {
      usleep(UInt32(Self.tick * 1e6))
      let (line, now) = (board.mine, HostBoard.now)
      line.set(beat: now)
      let (phase, limit, since) = (line.phase, Double(line.limit) * 1e-9, line.since)
      // Time in which this thread did not run either does not count: the whole job was stopped, or the machine
      // overwhelmed.
      let passed = min(Double(now - lastTick) * 1e-9, 10 * Self.tick)
      seconds = since == last ? seconds + passed : 0
      if since != last { hasWarned = false }
      last = since
      lastTick = now
      // Of a wait for a rank that gets on, the grace is left when that one has come.
      if phase.waits, late.contains(where: Self.getsOn) { seconds = min(seconds, limit) }
      if seconds > limit + (phase.waits ? Self.grace : 0) { stop(seconds) }
      if seconds > limit / 2, !hasWarned, !phase.waits {
        hasWarned = true
        say("warning: has been in phase \(phase) for \(Self.text(seconds)), and may be there for \(Self.text(limit))")
      }
    }
  }

  private func stop(_ seconds: Double) -> Never {
    let advice = "the run can go on from its last checkpoint (watchdog.seconds sets the limit)"
    if board.mine.phase.waits {
      say("has waited for \(Self.text(seconds)) for \(nameLate()); \(advice)")
    } else {
      say("did not get on for \(Self.text(seconds)); \(advice)")
    }
    _exit(ExitCode.temporary)
  }

  /// Of this host's ranks, those that are somewhere else.
  private var late: [HostBoard.Line] {
    let mine = board.mine
    return board.lines.filter { $0.rank != rank && (!$0.phase.waits || $0.step != mine.step) }
  }

  /// Of this host's ranks, those whose process was stopped. One of them may be where the others wait.
  private var stopped: [HostBoard.Line] {
    let now = HostBoard.now
    return board.lines.filter { $0.rank != rank && $0.beat > 0 && Double(now - $0.beat) * 1e-9 > Self.silence }
  }

  /// Slow, or at something that may take long, but not stuck.
  private static func getsOn(_ line: HostBoard.Line) -> Bool { HostBoard.now - line.since < line.limit }

  private func nameLate() -> String {
    let late = late
    guard late.isEmpty else { return late.map { name($0, since: $0.since) }.joined(separator: " and ") }
    let stopped = stopped
    guard stopped.isEmpty else {
      return stopped.map { "\(name($0, since: $0.beat)), whose process does not run" }.joined(separator: " and ")
    }
    let here = Set(board.lines.map(\.rank))
    let elsewhere = rollCall.absent(in: board.mine.step, besides: rank).filter { !here.contains($0) }
    guard board.mine.phase == .reduction, !elsewhere.isEmpty else {
      return "the other ranks, of which none on this host is late: MPI or the network does not get on"
    }
    return elsewhere.map { "rank \(board.firstRank + $0) host \(rollCall.hosts[$0])" }.joined(separator: ", ")
      + ", not heard from in step \(board.mine.step): stopped, or cut off"
  }

  private func name(_ line: HostBoard.Line, since: Int) -> String {
    "rank \(board.firstRank + line.rank) host \(Platform.host), in phase \(line.phase) of step \(line.step) "
      + "for \(Self.text(Double(HostBoard.now - since) * 1e-9))"
  }

  private func say(_ what: String) {
    let line = board.mine
    Fatal.write(
      Fatal.line(
        rank: board.firstRank + rank, host: Platform.host, step: line.step == 0 ? nil : line.step,
        phase: "\(line.phase)", message: what))
  }

  private static func text(_ seconds: Double) -> String { "\(decimal(seconds, places: 1)) s" }
}
