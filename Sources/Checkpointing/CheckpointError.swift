import Runtime

/// A checkpoint or weights file that cannot be used: torn, changed, foreign, or all of a directory's.
package struct CheckpointError: ExitCoded, CustomStringConvertible {
  package let path: String
  package let reason: String
  /// EX_DATAERR, of the table in docs/CONFIGURATION.md.
  package let exitCode: Int32 = 65

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path): \(reason)" }
}
