import Runtime

/// A file that was given and cannot be used: data, weights, a checkpoint. Which, what is wrong with it, what was
/// expected, and where (record, byte, tensor).
package struct FileError: ExitCoded, CustomStringConvertible {
  /// The file or folder, or the data set's name where it has none.
  package let path: String
  package let reason: String
  package let exitCode = ExitCode.badInput

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path): \(reason)" }
}
