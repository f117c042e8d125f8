import MPI
import Runtime

/// Some rank was asked to stop, in the middle of a measurement; thrown on every rank at the same place.
package struct StopRequested: ExitCoded, CustomStringConvertible {
  package let description = "stopped on request"
  package let exitCode = ExitCode.stopped
}
