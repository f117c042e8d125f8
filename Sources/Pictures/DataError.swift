import Formats

/// A bad or missing data set: which file, and what is wrong with it, what was expected, and where (record, byte).
package struct DataError: Error, CustomStringConvertible {
  /// The file or directory, or the data set's name where it has no file.
  package let path: String
  package let reason: String

  package init(path: String, reason: String) {
    (self.path, self.reason) = (path, reason)
  }

  package init(_ error: FormatError) {
    self.init(path: error.path, reason: error.reason)
  }

  package var description: String { "\(path): \(reason)" }
}
