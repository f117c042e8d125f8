import Files
import Formats
import Runtime

/// A bad or missing data set: which file, and what is wrong with it, what was expected, and where (record, byte).
package struct DataError: ExitCoded, CustomStringConvertible {
  /// The file or directory, or the data set's name where it has no file.
  package let path: String
  package let reason: String
  package let exitCode = ExitCode.badInput

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  package init(_ error: FormatError) {
    self.init(path: error.path, reason: error.reason)
  }

  package var description: String { "\(path): \(reason)" }
}
