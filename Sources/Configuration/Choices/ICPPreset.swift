/// Whose choices other keys follow where neither a file nor `--set` gives them.
package enum ICPPreset: String, CaseIterable, Sendable {
  case none
  case publishedCode = "published-code"

  /// The keys that it sets, and their values in YAML.
  package var settings: KeyValuePairs<String, String> {
    switch self {
    case .none: [:]
    case .publishedCode:
      [
        "icp.reduction": "mean", "icp.step_size": "0.0003", "icp.stray_gradient": "true",
        "optimizer.learning_rate": "0.0003",
      ]
    }
  }

  /// What it is, and sets, for docs/CONFIGURATION.md.
  private var meaning: String {
    switch self {
    case .none: "sets nothing"
    case .publishedCode: "makes the step that of the authors' code, which is not the paper's"
    }
  }

  static var meanings: String {
    allCases.filter { !$0.settings.isEmpty }.map { preset in
      let settings = preset.settings.map { "`\($0.key): \($0.value)`" }.joined(separator: ", ")
      return "`\(preset.rawValue)` \(preset.meaning): \(settings)."
    }.joined(separator: " ")
  }
}
