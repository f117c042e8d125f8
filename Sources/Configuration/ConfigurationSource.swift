import Yams

/// Where YAML text came from, to say so in errors.
package struct ConfigurationSource: Sendable {
  package let name: String
  /// False for `--set`, whose text is in front of the user as a whole.
  let hasLines: Bool

  package static func file(_ name: String) -> Self { Self(name: name, hasLines: true) }

  static func override(_ argument: String) -> Self {
    Self(name: "--set \(YAMLText.shown(argument, limit: 120))", hasLines: false)
  }

  static func preset(_ preset: ICPPreset) -> Self { Self(name: "icp.preset \(preset.rawValue)", hasLines: false) }

  package func error(_ message: String, at position: TextPosition? = nil) -> ConfigurationError {
    let position = hasLines ? position : nil
    return ConfigurationError(source: name, line: position?.line, column: position?.column, message: message)
  }
}
