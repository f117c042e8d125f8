import Foundation
import Kernels
import Yams

/// A random search: settings drawn by a seed, compared on data held out of training.
package struct SettingSearch {
  /// What a setting is drawn from.
  enum Range {
    /// Uniform, or uniform in the logarithm; three significant digits.
    case uniform(Double, Double), log(Double, Double)
    /// Both ends included.
    case integer(Int, Int)
    case choice([Node])
  }

  let variant: String
  package let trials: Int
  let seed: Int
  /// Of the last epoch.
  package let metric: String
  let space: [(key: String, range: Range)]

  /// Losses and errors of calibration are better when they are lower.
  package static func isLowerBetter(_ metric: String) -> Bool {
    ["loss", "ece", "gap"].contains { metric.hasSuffix($0) }
  }

  /// `trial-01` and so on: `variant` with the values drawn. Each trial and key has a stream of its own, so that more trials,
  /// or another key, leave the others as they are.
  func trials(of variant: Sweep.Variant, source: ConfigurationSource) throws(ConfigurationError) -> [Sweep.Variant] {
    let digits = max(2, "\(trials)".count)
    return (1...trials).map { trial in
      var drawn = variant
      let number = "\(trial)"
      drawn.name = "trial-" + String(repeating: "0", count: digits - number.count) + number
      for (index, entry) in space.enumerated() {
        var stream = RandomStream(seed: seed, purpose: .search, epoch: index, sample: trial)
        drawn.settings.append(
          RunConfiguration.Setting(
            key: ConfigurationTable.byPath[entry.key]!, value: entry.range.draw(&stream), source: source))
      }
      return drawn
    }
  }
}

extension SettingSearch.Range {
  /// Numbers of which every value between is accepted where these are.
  var ends: [Node] {
    switch self {
    case .uniform(let low, let high), .log(let low, let high): [low, high].map { Node(YAMLText.number($0)) }
    case .integer(let low, let high): ["\(low)", "\(high)"].map { Node($0) }
    case .choice(let nodes): nodes
    }
  }

  func draw(_ stream: inout RandomStream) -> Node {
    switch self {
    case .uniform(let low, let high): Self.node(stream.uniform(in: low...high))
    case .log(let low, let high):
      Self.node(Foundation.exp(stream.uniform(in: Foundation.log(low)...Foundation.log(high))))
    case .integer(let low, let high): Node("\(low + stream.integer(below: high - low + 1))")
    case .choice(let nodes): nodes[stream.integer(below: nodes.count)]
    }
  }

  private static func node(_ value: Double) -> Node {
    Node(YAMLText.number(Double(String(format: "%.3g", value))!))
  }
}

extension SweepReader {
  func search(_ node: Node) throws(ConfigurationError) -> SettingSearch {
    let fields = try fields(
      of: node, "the keys of a search", known: ["variant", "trials", "seed", "metric", "space"])
    func needed(_ key: String) throws(ConfigurationError) -> Node {
      guard let node = fields[key] else { throw source.error("key 'search': '\(key)' is missing", at: node.position) }
      return node
    }
    let metric: String
    if let node = fields["metric"] {
      metric = try text(node, "metric", "a value of the records of epochs")
      guard metric.hasPrefix("validation_") else {
        throw source.error(
          "key 'metric': expected one of the validation split, such as validation_accuracy, got \(node.shown): the test set "
            + "never chooses settings, or it would be no test", at: node.position)
      }
    } else {
      metric = "validation_accuracy"
    }
    var space: [(key: String, range: SettingSearch.Range)] = []
    for (key, value) in try entries(try needed("space"), "keys with what they are drawn from") {
      let range = try range(value)
      for end in range.ends { _ = try setting(key.text ?? "", end, at: key) }
      space.append((key.text ?? "", range))
    }
    return SettingSearch(
      variant: try text(try needed("variant"), "variant", "the name of a variant"),
      trials: try value(try needed("trials"), "trials", .integer(from: 1, to: 100_000)),
      seed: try fields["seed"].map { node throws(ConfigurationError) in
        try value(node, "seed", .integer(from: 0, to: 1 << 53))
      } ?? 0,
      metric: metric, space: space)
  }

  private func range(_ node: Node) throws(ConfigurationError) -> SettingSearch.Range {
    let expected = "a list of values, or {log: [a, b]}, {uniform: [a, b]} or {integer: [a, b]}"
    if let values = node.sequence, !values.isEmpty { return .choice(Array(values)) }
    guard let mapping = node.mapping, mapping.count == 1, let (kind, ends) = mapping.first else {
      throw source.error("key 'space': expected \(expected), got \(node.shown)", at: node.position)
    }
    let list = ends.sequence.map(Array.init) ?? []
    switch kind.text {
    case "integer":
      if list.count == 2, let low = list[0].integer, let high = list[1].integer, low <= high {
        return .integer(low, high)
      }
    case "log":
      if list.count == 2, let low = list[0].number, let high = list[1].number, 0 < low, low <= high {
        return .log(low, high)
      }
    case "uniform":
      if list.count == 2, let low = list[0].number, let high = list[1].number, low <= high {
        return .uniform(low, high)
      }
    default: throw unknown(kind.text ?? "", "key 'space':", among: ["log", "uniform", "integer"], at: kind)
    }
    throw source.error(
      "key 'space': expected two numbers, ascending\(kind.text == "log" ? " and above 0" : ""), got \(ends.shown)",
      at: ends.position)
  }
}

/// Settings that a search has chosen, as a file that other sweeps take up.
struct ChosenSettings {
  let text: String
  let settings: [RunConfiguration.Setting]
  /// The file's first line, a comment: by what it was chosen.
  let provenance: String

  init(path: String) throws(ConfigurationError) {
    text = try ConfigurationFile.read(path)
    let source = ConfigurationSource.file(path)
    settings = try SweepReader(source: source).settings(of: ConfigurationYAML.parse(text, from: source))
    let first = text.prefix { $0 != "\n" }
    provenance =
      first.hasPrefix("# ") ? YAMLText.shown(String(first.dropFirst(2)), limit: 300) : "by settings of \(path)"
  }
}
