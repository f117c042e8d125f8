import Runtime

/// What is wrong with a file's contents.
package struct FormatError: ExitCoded, CustomStringConvertible {
  package let path: String
  package let reason: String
  package let exitCode = ExitCode.badInput

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path): \(reason)" }
}
