import Glibc

/// A system call that failed: which, on what, and why.
package struct SystemError: Error, CustomStringConvertible {
  package let call: String
  package let path: String
  /// errno
  package let code: Int32

  package init(call: String, path: String, code: Int32) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// Without the path.
  package var reason: String { "\(call): \(String(cString: strerror(code)))" }
  package var description: String { "\(path): \(reason)" }
}
