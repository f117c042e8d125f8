import Runtime

/// Another run holds the run directory.
package struct LockedError: ExitCoded, CustomStringConvertible {
  package let path: String
  /// Host, process and start, as the holder wrote them.
  package let owner: String
  /// EX_TEMPFAIL: a wrapper may try again.
  package let exitCode: Int32 = 75

  package var description: String {
    "\(path): in use by \(owner); wait for that run, or choose another directory with --run-dir"
  }
}
