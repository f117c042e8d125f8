import Foundation
import Yams

/// Reads sweep files. Every error names file, line, key and what was expected, as for configurations.
extension Sweep {
  private static let keys = [
    "base", "ranks_per_run", "seeds", "baseline", "metrics", "checkpoints", "settings", "groups", "grid", "overrides",
    "variants", "search",
  ]

  package static func load(path: String, overrides: [String] = []) throws(ConfigurationError) -> Sweep {
    let text = try ConfigurationFile.read(path)
    let folder = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : ""
    return try Sweep(yaml: text, name: path, folder: folder, overrides: overrides)
  }

  /// `folder`: where relative paths in the file start; empty, or with its slash.
  package init(
    yaml: String, name: String, folder: String = "", overrides: [String] = []
  ) throws(ConfigurationError) {
    let source = ConfigurationSource.file(name)
    let reader = SweepReader(source: source)
    let fields = try reader.fields(
      of: ConfigurationYAML.parse(yaml, from: source), "keys such as 'variants:'", known: Self.keys)
    func place(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

    (self.source, text) = (source, yaml)
    if let base = fields["base"] {
      baseName = place(try reader.text(base, "base", "a configuration file"))
      baseText = try ConfigurationFile.read(baseName)
    } else {
      (baseName, baseText) = ("the defaults", "")
    }
    ranksPerRun =
      try fields["ranks_per_run"].map { node throws(ConfigurationError) in
        try reader.value(node, "ranks_per_run", .integer(from: 1, to: 65536))
      } ?? 1
    seeds =
      try fields["seeds"].map { node throws(ConfigurationError) in
        try reader.value(node, "seeds", .distinct(.notEmpty, of: .integer(from: 0, to: 1 << 53)))
      } ?? [0]
    checkpoints =
      try fields["checkpoints"].map { node throws(ConfigurationError) in
        try reader.value(node, "checkpoints", .choice)
      } ?? .last
    metrics =
      try fields["metrics"].map { node throws(ConfigurationError) in
        try reader.value(node, "metrics", .distinct(of: .name))
      } ?? []
    settings = try reader.settings(of: fields["settings"])
    points = try reader.points(groups: fields["groups"], grid: fields["grid"])
    self.overrides = try overrides.map { argument throws(ConfigurationError) in
      try reader.refusingSeed(RunConfiguration.setting(of: argument))
    }

    guard let node = fields["variants"] else { throw source.error("'variants' is missing: what is to be compared") }
    var written = try reader.variants(node)
    let names = written.map(\.name)
    func check(_ name: String, _ key: String, _ node: Node) throws(ConfigurationError) {
      guard names.contains(name) else {
        throw reader.unknown(name, "key '\(key)': no variant", among: names, at: node)
      }
    }
    baseline = try fields["baseline"].map { node throws(ConfigurationError) in
      let name = try reader.text(node, "baseline", "the name of a variant")
      try check(name, "baseline", node)
      return name
    }
    for variant in written {
      guard case .equalCompute(let other) = variant.epochs else { continue }
      let node = reader.field("equal_compute_with", of: variant.name, in: node)
      try check(other, "equal_compute_with", node)
      guard let baseline else {
        throw source.error(
          "'equal_compute_with' needs a 'baseline', in whose steps cost is measured", at: node.position)
      }
      guard [other, baseline].allSatisfy({ name in written.contains { $0.name == name && $0.epochs.isKnown } }),
        variant.name != baseline
      else {
        throw source.error(
          "key 'equal_compute_with': '\(other)' and the baseline must not wait for what others cost", at: node.position)
      }
    }
    conditional = try reader.overrides(fields["overrides"], points: points, variants: names)

    search = try fields["search"].map { node throws(ConfigurationError) in
      let search = try reader.search(node)
      try check(search.variant, "variant", node)
      return search
    }
    if let search {
      guard baseline == nil else {
        throw source.error(
          "a search has no 'baseline': its trials are compared with each other", at: fields["baseline"]?.position)
      }
      written = try search.trials(of: written.first { $0.name == search.variant }!, source: source)
    }
    for index in written.indices { written[index].file = written[index].file.map(place) }
    variants = written
    var chosen: [String: ChosenSettings] = [:]
    for point in points {
      for file in variants.compactMap(\.file) {
        let path = Self.path(file, at: point)
        if chosen[path] == nil { chosen[path] = try ChosenSettings(path: path) }
      }
    }
    self.chosen = chosen

    guard points.count * variants.count * seeds.count <= Self.runLimit else {
      throw reader.tooMany(at: fields["variants"])
    }
    // Every combination, so that none fails hours later; of all seeds alike.
    for run in try runs(of: [seeds[0]]) {
      guard search == nil || run.configuration.data.validation != .none else {
        throw source.error(
          "a search needs 'data.validation': settings are never chosen on the test set", at: fields["search"]?.position)
      }
    }
  }
}

extension Sweep.Variant.Epochs {
  /// Before any run.
  var isKnown: Bool { if case .equalCompute = self { false } else { true } }
}

/// The parts of a sweep file.
struct SweepReader {
  let source: ConfigurationSource

  func unknown(_ name: String, _ what: String, among names: [String], at node: Node) -> ConfigurationError {
    let nearest = names.min { ConfigurationTable.editDistance(name, $0) < ConfigurationTable.editDistance(name, $1) }
    let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
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

  // MARK: Settings

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
        "unknown key '\(YAMLText.shown(path, limit: 60))'; \(ConfigurationTable.hint(for: path))", at: name.position)
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

  // MARK: Points

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

  // MARK: Variants

  func variants(_ node: Node) throws(ConfigurationError) -> [Sweep.Variant] {
    var variants: [Sweep.Variant] = []
    for (key, value) in try entries(node, "variants by name") {
      var variant = Sweep.Variant(name: try name(key, "a variant"), settings: [])
      for (field, value) in try entries(value, "the variant's settings") {
        switch field.text ?? "" {
        case "epochs_factor":
          guard variant.epochs == .own else { throw twoLengths(field) }
          variant.epochs = .times(try self.value(value, "epochs_factor", .positive))
        case "equal_compute_with":
          guard variant.epochs == .own else { throw twoLengths(field) }
          variant.epochs = .equalCompute(with: try text(value, "equal_compute_with", "the name of a variant"))
        case "file":
          variant.file = try text(value, "file", "a file of settings, as a search writes it")
        case let path where ConfigurationTable.byPath[path] == nil && value.mapping != nil:
          variant.settings += try settings(of: value, within: "\(path).")
        case let path:
          variant.settings.append(try setting(path, value, at: field))
        }
      }
      variants.append(variant)
    }
    guard !variants.isEmpty else { throw source.error("key 'variants': expected at least one", at: node.position) }
    return variants
  }

  private func twoLengths(_ field: Node) -> ConfigurationError {
    source.error("'epochs_factor' and 'equal_compute_with' exclude each other", at: field.position)
  }

  /// Conditions name keys of the grid, 'group' or 'variant', and values that occur: one that never holds is a slip.
  func overrides(
    _ node: Node?, points: [Sweep.Point], variants: [String]
  ) throws(ConfigurationError) -> [Sweep.Override] {
    guard let node else { return [] }
    guard let list = node.sequence else {
      throw source.error("key 'overrides': expected a list of 'when' and 'set', got \(node.shown)", at: node.position)
    }
    var overrides: [Sweep.Override] = []
    for entry in list {
      let fields = try fields(of: entry, "'when' and 'set'", known: ["when", "set"])
      guard let condition = fields["when"], let settings = fields["set"] else {
        throw source.error("an override needs 'when' and 'set'", at: entry.position)
      }
      var override = Sweep.Override(conditions: [:], settings: try self.settings(of: settings))
      for (key, value) in try entries(condition, "keys of the grid with a value") {
        let path = key.text ?? ""
        let known = Set(points.flatMap(\.values.keys)).sorted() + ["variant"]
        guard known.contains(path) else { throw unknown(path, "not a key of the grid:", among: known, at: key) }
        let occurring = path == "variant" ? variants : points.compactMap { $0.values[path] }
        let texts = value.sequence.map { Array($0).map(\.shown) } ?? [value.shown]
        for text in texts where !occurring.contains(text) {
          throw source.error(
            "'\(path)' is never \(text); it is \(Set(occurring).sorted().joined(separator: ", "))", at: value.position)
        }
        override.conditions[path] = texts
      }
      overrides.append(override)
    }
    return overrides
  }
}
