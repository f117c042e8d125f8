/// What is wrong with a file's contents.
package struct FormatError: Error, CustomStringConvertible {
  package let path: String
  package let reason: String

  package init(path: String, reason: String) {
    (self.path, self.reason) = (path, reason)
  }

  package var description: String { "\(path): \(reason)" }
}
