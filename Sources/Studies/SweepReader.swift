import Configuration
import Yams

/// The parts of a sweep file.
struct SweepReader {
  let source: ConfigurationSource

  func unknown(_ name: String, _ what: String, among names: [String], at node: Node) -> ConfigurationError {
    let hint = ConfigurationTable.hint(for: String(name.prefix(64)), among: names)
    return source.error("\(what) '\(YAMLText.shown(name, limit: 60))'\(hint)", at: node.position)
  }

  func entries(_ node: Node?, _ expected: String) throws(ConfigurationError) -> [(Node, Node)] {
    try RunConfiguration.entries(of: node, expected, source)
  }

  /// The values of a mapping by key, each of which must be `known`.
  func fields(of node: Node?, _ expected: String, known: [String]) throws(ConfigurationError) -> [String: Node] {
    var fields: [String: Node] = [:]
    for (key, value) in try entries(node, expected) {
      let name = key.text ?? ""
      guard known.contains(name) else { throw unknown(String(name.prefix(64)), "unknown key", among: known, at: key) }
      fields[name] = value
    }
    return fields
  }

  func value<Value>(_ node: Node, _ key: String, _ form: ValueForm<Value>) throws(ConfigurationError) -> Value {
    guard let value = form.read(node) else {
      let reason = form.reason(node).map { " (\($0))" } ?? ""
      throw source.error("key '\(key)': expected \(form.expected), got \(node.shown)\(reason)", at: node.position)
    }
    return value
  }

  func text(_ node: Node, _ key: String, _ expected: String) throws(ConfigurationError) -> String {
    try value(node, key, .text(expected))
  }

  /// The node of a variant's own key, for errors.
  func field(_ key: String, of variant: String, in variants: Node) -> Node {
    variants.mapping?[Node(variant)]?.mapping?[Node(key)] ?? variants
  }

  /// `icp.steps: 5`, or `icp: {steps: 5}`; each value checked.
  func settings(of node: Node?, within prefix: String = "") throws(ConfigurationError) -> [RunConfiguration.Setting] {
    var settings: [RunConfiguration.Setting] = []
    for (name, value) in try entries(node, "settings such as 'icp.steps: 5'") {
      let path = prefix + (name.text ?? "")
      if ConfigurationTable.byPath[path] == nil, value.mapping != nil {
        settings += try self.settings(of: value, within: "\(path).")
      } else {
        settings.append(try setting(path, value, at: name))
      }
    }
    return settings
  }

  func setting(_ path: String, _ value: Node, at name: Node) throws(ConfigurationError) -> RunConfiguration.Setting {
    guard let key = ConfigurationTable.byPath[path] else {
      throw source.error(
        "unknown key '\(YAMLText.shown(path, limit: 60))'\(ConfigurationTable.hint(for: path))", at: name.position)
    }
    let setting = RunConfiguration.Setting(key: key, value: value, source: source)
    var scratch = RunConfiguration()
    guard key.read(value, &scratch) else { throw setting.refusal }
    return try refusingSeed(setting)
  }

  func refusingSeed(_ setting: RunConfiguration.Setting) throws(ConfigurationError) -> RunConfiguration.Setting {
    guard setting.key.path != "training.seed" else { throw setting.error("'training.seed' comes from 'seeds'") }
    return setting
  }
}
