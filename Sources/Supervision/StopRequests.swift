import CSupervision
import Runtime

/// SIGUSR1, SIGTERM and SIGINT ask a run to save and stop; a second SIGINT ends the process.
package enum StopRequests {
  package static func listen() { supervision_take_stop_requests() }

  /// As `listen`, but a request ends the process at once, with 85, until `isReady`: there is nothing to save yet.
  package static func listenUntilReady() {
    supervision_leave_on_request(ExitCode.stopped)
    supervision_take_stop_requests()
  }

  package static func isReady() { supervision_keep_requests() }

  static var areThere: Bool { supervision_stop_requests() > 0 }
}
