import Glibc
import Logging

/// The last words of a rank.
package enum Fatal {
  /// `icp: rank 1 host node7 step 42 phase backward: what; what to do`; without a step before the first.
  package static func line(rank: Int, host: String, step: Int?, phase: String, message: String) -> String {
    "icp: rank \(rank) host \(host)\(step.map { " step \($0)" } ?? "") phase \(phase): \(message)"
  }

  /// Straight to standard error: buffers and locks may not be usable any more.
  package static func write(_ line: String) {
    _ = Reporting.write("\(line)\n", to: STDERR_FILENO)
  }
}
