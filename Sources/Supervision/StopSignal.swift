import CSupervision
import MPI

/// Whether this rank, or another one of its study, was asked to stop.
package struct StopSignal {
  private let bell: StopBell?

  /// `bell`: of a study.
  package init(_ bell: StopBell? = nil) { self.bell = bell }

  package func isRaised() throws(MPIError) -> Bool { try bell?.isRung() ?? StopRequests.areThere }
}
