import Configuration
import Yams

/// The grid of a sweep file, and what folders and rows are called.
extension SweepReader {
  /// Every combination of a group with a value of each key of the grid; one empty point where there is neither.
  func points(groups: Node?, grid: Node?) throws(ConfigurationError) -> [Sweep.Point] {
    var points = [Sweep.Point(name: "", title: "", values: [:], settings: [])]
    func cross(_ axis: [Sweep.Point]) throws(ConfigurationError) {
      guard !axis.isEmpty else { return }
      guard points.count * axis.count <= Sweep.runLimit else { throw tooMany(at: grid) }
      points = points.flatMap { point in
        axis.map { value in
          Sweep.Point(
            name: [point.name, value.name].filter { !$0.isEmpty }.joined(separator: "_"),
            title: [point.title, value.title].filter { !$0.isEmpty }.joined(separator: ", "),
            values: point.values.merging(value.values) { $1 }, settings: point.settings + value.settings)
        }
      }
    }
    var axis: [Sweep.Point] = []
    for (name, node) in try entries(groups, "groups of settings by name") {
      let text = try self.name(name, "a group")
      axis.append(Sweep.Point(name: text, title: text, values: ["group": text], settings: try settings(of: node)))
    }
    try cross(axis)
    for (key, node) in try entries(grid, "keys with lists of values, such as 'icp.steps: [2, 5]'") {
      let path = key.text ?? ""
      guard let values = node.sequence, !values.isEmpty else {
        throw source.error(
          "key '\(YAMLText.shown(path, limit: 60))': expected a list of values, got \(node.shown)", at: node.position)
      }
      axis = []
      for value in values {
        let setting = try setting(path, value, at: key)
        let name = "\(setting.key.path.split(separator: ".").last!)"
        axis.append(
          Sweep.Point(
            name: "\(name)-\(Self.plain(value.shown))", title: "\(name) \(value.shown)", values: [path: value.shown],
            settings: [setting]))
      }
      try cross(axis)
    }
    var seen: Set<String> = []
    for point in points where !seen.insert(point.name).inserted {
      throw source.error(
        "two points of the grid would share the folder '\(point.name)'", at: (grid ?? groups)?.position)
    }
    return points
  }

  func tooMany(at node: Node?) -> ConfigurationError {
    source.error("more than \(Sweep.runLimit) runs", at: node?.position)
  }

  /// What a folder may be called, of a value as it is written: `[pad-crop, flip]` becomes `pad-crop-flip`.
  static func plain(_ text: String) -> String {
    text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || "._-+".contains($0))) }.joined(separator: "-")
  }

  /// A word that names a folder and a row of a table.
  func name(_ node: Node, _ what: String) throws(ConfigurationError) -> String {
    let text = node.text ?? ""
    guard !text.isEmpty, text.utf8.count <= 100, Self.plain(text) == text, !text.hasPrefix("."), !text.hasPrefix("-")
    else {
      throw source.error(
        "expected a name of \(what), of letters, digits, '-', '_', '+' and '.', got \(node.shown)", at: node.position)
    }
    return text
  }
}
