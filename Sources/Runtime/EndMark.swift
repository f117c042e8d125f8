import Foundation
import Glibc

/// Rank 0's last word, for whoever started it: a file that is there only after a run has ended with status 0. The
/// launcher of Open MPI 5 says 0 where a host was lost, too.
package enum EndMark {
  /// Makes the file that the environment names, if it names one. Where that fails the launcher starts again, and the
  /// run says that it was done.
  package static func write() {
    guard let path = ProcessInfo.processInfo.environment[LaunchVariable.endMark], !path.isEmpty else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    if descriptor >= 0 { close(descriptor) }
  }
}
