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

/// Where YAML text came from, to say so in errors.
package struct ConfigurationSource: Sendable {
  package let name: String
  /// False for `--set`, whose text is in front of the user as a whole.
  let hasLines: Bool

  package static func file(_ name: String) -> Self { Self(name: name, hasLines: true) }

  static func override(_ argument: String) -> Self {
    Self(name: "--set \(YAMLText.shown(argument, limit: 120))", hasLines: false)
  }

  package func error(_ message: String, at position: TextPosition? = nil) -> ConfigurationError {
    let position = hasLines ? position : nil
    return ConfigurationError(source: name, line: position?.line, column: position?.column, message: message)
  }
}

/// A place in a text, both from 1; columns count Unicode scalars.
package struct TextPosition {
  private(set) var line = 1
  private(set) var column = 1

  init() {}

  init(_ mark: Mark) { (line, column) = (mark.line, mark.column) }

  mutating func pass(_ scalar: Unicode.Scalar) {
    (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
  }
}

extension Node {
  package var position: TextPosition? { mark.map { TextPosition($0) } }
}
