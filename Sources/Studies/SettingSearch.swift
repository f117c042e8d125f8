import Configuration
import Foundation
import Kernels
import Yams

/// A search: settings drawn by a seed, compared on data held out of training.
package struct SettingSearch {
  /// How settings are drawn: each for itself, or spread evenly, so that few trials leave no large gap; and with
  /// `halving`, spread evenly, which of them are run to the end.
  package enum Method: String, CaseIterable, Sendable {
    case random, even, halving
  }

  /// What a setting is drawn from.
  enum Range {
    /// Uniform, or uniform in the logarithm; as many digits as the range needs, three at least.
    case uniform(Double, Double), log(Double, Double)
    /// Both ends included.
    case integer(Int, Int)
    case choice([Node])
  }

  /// Of one variant.
  struct Space {
    let variant: String
    let trials: Int
    let ranges: [(key: String, range: Range)]
  }

  let method: Method
  let seed: Int
  /// Of the last epoch.
  package let metric: String
  let spaces: [Space]
  /// With `method` halving.
  let halving: Halving?

  /// Losses and errors of calibration are better when they are lower.
  package static func isLowerBetter(_ metric: String) -> Bool {
    ["loss", "ece", "gap", "loss_ema"].contains { metric.hasSuffix($0) }
  }

  /// `adam-01` and so on: `variant` with the values drawn, or itself where nothing is searched for. Each trial and each
  /// key, by its place in the space, has numbers of its own, so that more trials, or a key after the others, leave
  /// what there is as it is.
  func trials(of variant: Sweep.Variant, source: ConfigurationSource) -> [Sweep.Variant] {
    guard let space = spaces.first(where: { $0.variant == variant.name }) else { return [variant] }
    return (1...space.trials).flatMap { trial -> [Sweep.Variant] in
      var drawn = variant
      drawn.name = space.name(of: trial)
      let own = drawn.settings.count
      for (index, entry) in space.ranges.enumerated() {
        drawn.settings.append(
          RunConfiguration.Setting(
            key: ConfigurationTable.byPath[entry.key]!, value: value(entry.range, key: index, trial: trial),
            source: source))
      }
      drawn.drawn = drawn.settings[own...].map { "\($0.key.name) \($0.value.shown)" }.joined(separator: ", ")
      guard let halving else { return [drawn] }
      drawn.trial = (drawn.name, 1)
      return halving.shortLengths.map { shortened(drawn, to: $0, halving) } + [drawn]
    }
  }

  private func shortened(_ trial: Sweep.Variant, to length: Double, _ halving: Halving) -> Sweep.Variant {
    var short = trial
    short.name = halving.name(of: trial.name, epochs: length)
    short.trial = (trial.name, length)
    if case .times(let factor) = trial.epochs {
      short.epochs = .times(factor * length)
    } else {
      short.epochs = .times(length)
    }
    return short
  }

  private func value(_ range: Range, key: Int, trial: Int) -> Node {
    switch method {
    case .random:
      var stream = RandomStream(seed: seed, purpose: .search, epoch: key, sample: trial)
      return range.draw(&stream)
    case .even, .halving: return range.value(at: EvenSequence(seed: seed).coordinate(key, of: trial - 1))
    }
  }
}

extension SettingSearch.Space {
  func name(of trial: Int) -> String {
    let (digits, number) = (max(2, "\(trials)".count), "\(trial)")
    return "\(variant)-" + String(repeating: "0", count: digits - number.count) + number
  }

  var names: Set<String> { Set((1...trials).map(name)) }
}

extension SettingSearch.Range {
  /// Numbers of which every value between is accepted where these are: the ends, and a fraction where there may be
  /// some.
  var probes: [Node] {
    switch self {
    case .uniform(let low, let high), .log(let low, let high):
      [low, high, low + (high - low) * 0.31].map { Node(YAMLText.number($0)) }
    case .integer(let low, let high): ["\(low)", "\(high)"].map { Node($0) }
    case .choice(let nodes): nodes
    }
  }

  func draw(_ stream: inout RandomStream) -> Node {
    switch self {
    case .uniform(let low, let high): Self.node(stream.uniform(in: low...high), in: low...high)
    case .log(let low, let high):
      Self.node(Foundation.exp(stream.uniform(in: Foundation.log(low)...Foundation.log(high))), in: low...high)
    case .integer(let low, let high): Node("\(low + stream.integer(below: high - low + 1))")
    case .choice(let nodes): nodes[stream.integer(below: nodes.count)]
    }
  }

  /// `position` of the way through the range, in [0, 1).
  func value(at position: Double) -> Node {
    switch self {
    case .uniform(let low, let high): Self.node(low + (high - low) * position, in: low...high)
    case .log(let low, let high):
      Self.node(
        Foundation.exp(Foundation.log(low) + (Foundation.log(high) - Foundation.log(low)) * position), in: low...high)
    case .integer(let low, let high): Node("\(low + Int(position * Double(high - low + 1)))")
    case .choice(let nodes): nodes[Int(position * Double(nodes.count))]
    }
  }

  /// Rounded for people to read, but within the range, and in steps of at most a fiftieth of it.
  private static func node(_ value: Double, in range: ClosedRange<Double>) -> Node {
    // exp and log miss an end by a rounding.
    let value = min(max(value, range.lowerBound), range.upperBound)
    let width = range.upperBound - range.lowerBound
    for digits in 3..<17 {
      let rounded = Double(String(format: "%.\(digits)g", value))!
      let step = Foundation.pow(10, Foundation.log10(abs(value)).rounded(.down) - Double(digits - 1))
      if range.contains(rounded), step <= width / 50 { return Node(YAMLText.number(rounded)) }
    }
    return Node(YAMLText.number(value))
  }
}

extension SweepReader {
  /// `seeds`: how many the study has.
  func search(_ node: Node, seeds: Int) throws(ConfigurationError) -> SettingSearch {
    let fields = try fields(
      of: node, "the keys of a search", known: ["method", "seed", "metric", "variants", "rungs", "keep"])
    let method =
      try fields["method"].map { node throws(ConfigurationError) in
        try value(node, "method", ValueForm<SettingSearch.Method>.choice)
      } ?? .random
    let metric: String
    if let node = fields["metric"] {
      let known = ["accuracy", "loss", "f1", "ece"].map { "validation_\($0)" }
      metric = try text(node, "metric", "a value of the records of epochs")
      guard known.contains(metric) else {
        throw source.error(
          "key 'metric': expected \(known.joined(separator: ", ")), got \(node.shown): the test set never chooses settings, "
            + "or it would be no test", at: node.position)
      }
    } else {
      metric = "validation_accuracy"
    }
    let variants = try needed("variants", of: fields, "search", at: node)
    var spaces: [SettingSearch.Space] = []
    for (name, node) in try entries(variants, "variants with 'trials' and 'space'") {
      spaces.append(try space(node, of: name.text ?? ""))
    }
    guard !spaces.isEmpty else {
      throw source.error("key 'variants': expected at least one", at: variants.position)
    }
    for space in spaces where method != .random && space.ranges.count > EvenSequence.dimensions {
      throw source.error(
        "key 'method': \(method.rawValue) spreads at most \(EvenSequence.dimensions) keys, '\(space.variant)' has \(space.ranges.count)",
        at: fields["method"]?.position)
    }
    if method != .halving, let node = fields["rungs"] ?? fields["keep"] {
      throw source.error("'rungs' and 'keep' go with 'method: halving' alone", at: node.position)
    }
    let halving = try method == .halving ? self.halving(fields, seeds: seeds, at: node) : nil
    return SettingSearch(
      method: method,
      seed: try fields["seed"].map { node throws(ConfigurationError) in
        try value(node, "seed", .integer(from: 0, to: 1 << 53))
      } ?? 0,
      metric: metric, spaces: spaces, halving: halving)
  }

  private func space(_ node: Node, of variant: String) throws(ConfigurationError) -> SettingSearch.Space {
    let fields = try fields(of: node, "'trials' and 'space'", known: ["trials", "space"])
    let trials = try needed("trials", of: fields, variant, at: node)
    var ranges: [(key: String, range: SettingSearch.Range)] = []
    let space = try needed("space", of: fields, variant, at: node)
    for (key, value) in try entries(space, "keys with what they are drawn from") {
      let range = try range(value)
      for value in range.probes {
        do throws(ConfigurationError) {
          _ = try setting(key.text ?? "", value, at: key)
        } catch { throw source.error("\(error.message), as a value of the space might be", at: key.position) }
      }
      ranges.append((key.text ?? "", range))
    }
    return SettingSearch.Space(
      variant: variant, trials: try value(trials, "trials", .integer(from: 1, to: Sweep.runLimit)), ranges: ranges)
  }

  private func needed(
    _ key: String, of fields: [String: Node], _ owner: String, at node: Node
  ) throws(ConfigurationError) -> Node {
    guard let field = fields[key] else {
      throw source.error("key '\(owner)': '\(key)' is missing", at: node.position)
    }
    return field
  }

  /// The trials in the place of the variants that are searched for. Nobody is compared with, or waits for, one of
  /// those.
  func replacing(
    _ variants: [Sweep.Variant], by search: SettingSearch, baseline: String?, at node: Node?
  ) throws(ConfigurationError) -> [Sweep.Variant] {
    let searched = Set(search.spaces.map(\.variant))
    let named = variants.compactMap { variant in
      if case .equalCompute(let other) = variant.epochs { other } else { nil }
    }
    for name in [baseline].compactMap(\.self) + named where searched.contains(name) {
      throw source.error(
        "'\(name)' becomes trials: it can neither be the baseline nor what another's compute is equal to",
        at: node?.position)
    }
    let all = variants.flatMap { search.trials(of: $0, source: source) }
    var seen: Set<String> = []
    for variant in all where !seen.insert(variant.name).inserted {
      throw source.error("a variant is called as a trial is: '\(variant.name)'", at: node?.position)
    }
    return all
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
