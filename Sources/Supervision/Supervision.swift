import CSupervision
import Glibc
import MPI
import Runtime

/// Who watches over a rank while it runs: its watchdog, its last words in a crash, and requests to stop.
package final class Supervision {
  /// Of the run that this process is in.
  package private(set) var clock: PhaseClock
  package let rollCall: RollCall
  package let stop: StopSignal
  package let probe: any RunProbe
  private let board: HostBoard

  /// Every rank calls it.
  /// Throws: LaunchError where the threads of a run cannot be made, for which somebody would wait in vain, or its files
  /// cannot be opened.
  /// - Parameter bell: of a study, whose groups of ranks are each supervised alone and stop together.
  package init(_ communicator: Communicator, limit: Double?, bell: StopBell? = nil) throws {
    try communicator.collectively {
      // The watchdog, the loader, the writer of checkpoints, and what the libraries start meanwhile.
      let error = supervision_try_threads(6)
      guard error == 0 else {
        throw LaunchError(
          "six more threads cannot be made: \(String(cString: strerror(error))); raise the limit on processes "
            + "(ulimit -u, or pids.max of the control group)")
      }
      try Self.tryDescriptors(5)
    }
    board = try HostBoard(communicator)
    rollCall = try RollCall(communicator, board)
    stop = StopSignal(bell)
    probe = RunProbes.make(communicator.firstRank + communicator.rank)
    clock = PhaseClock(Heartbeat(board, limit: limit, spansHosts: rollCall.spansHosts), probe)
    Watchdog(board, rollCall, rank: communicator.rank).start()
    let (step, phase) = board.mine.addresses
    // For the life of the process: a crash may come at its very end.
    _ = Unmanaged.passRetained(board)
    supervision_begin(
      supervision_place(
        place: strdup("rank \(communicator.firstRank + communicator.rank) host \(Platform.host)"), step: step,
        phase: phase,
        phases: Self.phases,
        status: ExitCode.internalError))
  }

  /// The loader's and the writer's files, metrics.jsonl and its folder; and libdispatch traps where it cannot make a
  /// descriptor.
  private static func tryDescriptors(_ count: Int) throws(LaunchError) {
    let opened = (0..<count).map { _ in dup(STDERR_FILENO) }
    defer { for descriptor in opened where descriptor >= 0 { close(descriptor) } }
    guard opened.allSatisfy({ $0 >= 0 }) else {
      throw LaunchError(
        "\(count) more files cannot be opened: \(String(cString: strerror(EMFILE))); raise the limit on open files "
          + "(ulimit -n)")
    }
  }

  /// Another run of this process begins, under a limit of its own. Every rank of the communicator calls it.
  package func beginRun(limit: Double?) {
    rollCall.forget()
    board.mine.set(step: 0)
    clock = PhaseClock(Heartbeat(board, limit: limit, spansHosts: rollCall.spansHosts), probe)
  }

  /// The run is over, or has failed in a way that is told elsewhere; leaving may not take for ever either.
  package func end() {
    clock.enter(.end)
    supervision_end()
  }

  private nonisolated(unsafe) static let phases: UnsafePointer<UnsafePointer<CChar>?> = {
    let names = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: Phase.allCases.count)
    for phase in Phase.allCases { names[phase.rawValue] = UnsafePointer(strdup("\(phase)")) }
    return UnsafePointer(names)
  }()
}
