import CSupervision

/// SIGUSR1, SIGTERM and SIGINT ask a run to save and stop; a second SIGINT ends the process.
package enum StopRequests {
  package static func listen() { supervision_take_stop_requests() }
  static var areThere: Bool { supervision_stop_requests() > 0 }
}
