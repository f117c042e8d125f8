import CSupervision
import Glibc
import MPI
import Runtime

/// Who watches over a rank while it runs: its watchdog, its last words in a crash, and requests to stop.
package final class Supervision {
  /// Of the run that this process is in.
  package private(set) var pulse: Pulse
  private let rollCall: RollCall
  private let bell: StopBell?

  /// Every rank calls it.
  /// Throws: LaunchError where the threads of a run cannot be made, for which nobody would wait in vain.
  /// - Parameter bell: of a study, whose groups of ranks are each supervised alone and stop together.
  package init(_ communicator: Communicator, limit: Double?, fault: Fault?, bell: StopBell? = nil) throws {
    try communicator.together {
      // The watchdog, the loader, the writer of checkpoints, and what the libraries start meanwhile.
      let error = supervision_try_threads(6)
      guard error == 0 else {
        throw LaunchError(
          "six more threads cannot be made: \(String(cString: strerror(error))); raise the limit on processes "
            + "(ulimit -u, or pids.max of the control group)")
      }
    }
    let board = try HostBoard(communicator)
    rollCall = try RollCall(communicator, board)
    self.bell = bell
    pulse = Pulse(
      board: board, rollCall: rollCall, limit: limit, fault: fault?.rank == communicator.rank ? fault : nil, bell: bell)
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

  /// Another run of this process begins, under a limit of its own. Every rank of the communicator calls it.
  package func beginRun(limit: Double?) {
    rollCall.forget()
    pulse.board.mine.set(step: 0)
    pulse = Pulse(board: pulse.board, rollCall: rollCall, limit: limit, fault: nil, bell: bell)
  }

  /// The run is over, or has failed in a way that is told elsewhere; leaving may not take for ever either.
  package func end() {
    pulse.enter(.end)
    supervision_end()
  }

  private nonisolated(unsafe) static let phases: UnsafePointer<UnsafePointer<CChar>?> = {
    let names = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: Phase.allCases.count)
    for phase in Phase.allCases { names[phase.rawValue] = UnsafePointer(strdup("\(phase)")) }
    return UnsafePointer(names)
  }()
}

/// SIGUSR1, SIGTERM, SIGINT and SIGHUP ask a run to save and stop; a second SIGINT ends the process.
package enum StopRequests {
  package static func take() { supervision_take_stop_requests() }
  static var areThere: Bool { supervision_stop_requests() > 0 }
}
