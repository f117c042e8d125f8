import CSupervision
import MPI

/// Whether this rank, or another one of its study, was asked to stop.
package struct StopSignal {
  private let bell: StopBell?

  /// `bell`: of a study.
  package init(_ bell: StopBell? = nil) { self.bell = bell }

  package func isRaised() throws(MPIError) -> Bool { try bell?.isRung() ?? StopRequests.areThere }
}

/// SIGUSR1, SIGTERM and SIGINT ask a run to save and stop; a second SIGINT ends the process.
package enum StopRequests {
  package static func take() { supervision_take_stop_requests() }
  static var areThere: Bool { supervision_stop_requests() > 0 }
}
