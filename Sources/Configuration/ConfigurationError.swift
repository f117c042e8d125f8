import Runtime
import Yams

/// What is wrong with a configuration, and where; the description is one line for the user.
package struct ConfigurationError: ExitCoded, Equatable, CustomStringConvertible {
  /// The file as the user named it, or the `--set` argument as they wrote it.
  package let source: String
  /// From 1; nil where the fault has no place in a file.
  package let line: Int?
  /// From 1, in Unicode scalars; nil where the fault has no place in a line.
  package let column: Int?
  package let message: String
  package let exitCode = ExitCode.usage

  package var description: String {
    let place = [line, column].compactMap { $0 }.map { ":\($0)" }.joined()
    return "\(source)\(place): \(message)"
  }
}
