import MPI

/// A request to stop that any rank of a study has got, told to all of them: their runs are not in step, so that no
/// reduction carries it from one group to another.
package final class StopBell {
  private let mailbox: Mailbox
  private var hasRung = false
  private var isHeard = false

  /// Every rank calls it.
  package init(_ communicator: Communicator) throws(MPIError) { mailbox = try Mailbox(communicator) }

  /// Whether somebody was asked to stop; tells the others where it was this rank. Called at every step, and allocates
  /// nothing.
  package func isRung() throws(MPIError) -> Bool {
    if StopRequests.areThere { try ring() }
    if try mailbox.receive() != nil || hasRung { isHeard = true }
    return isHeard
  }

  /// Asks all to stop.
  package func ring() throws(MPIError) {
    guard !hasRung else { return }
    hasRung = true
    try mailbox.sendToAll(1)
  }
}
