import Datasets
import Files
import Yams

extension RunConfiguration {
  /// Reads the file at `path`, over that of its `base:` where it names one, then `overrides` (`key=value`, the value in
  /// YAML; the last of a key counts).
  ///
  /// `readsData` false does without `data.path`, for commands that read no data set.
  package static func load(
    path: String, overrides: [String] = [], readsData: Bool = true
  ) throws(ConfigurationError) -> RunConfiguration {
    let text = try ConfigurationFile.read(path)
    return try RunConfiguration(yaml: text, name: path, file: path, overrides: overrides, readsData: readsData)
  }

  /// As `load`, of text in memory; `name` stands for the file in errors. `file`: where the text is from, so that it may
  /// name a base.
  package init(
    yaml: String, name: String, file: String? = nil, overrides: [String] = [], readsData: Bool = true
  ) throws(ConfigurationError) {
    var settings: [Setting] = []
    for argument in overrides { settings.append(try Self.setting(of: argument)) }
    try self.init(yaml: yaml, name: name, file: file, settings: settings, readsData: readsData)
  }

  /// The same with `further` settings over the text's, each of which may come from another file.
  package init(
    yaml: String, name: String, file: String? = nil, settings further: [Setting], readsData: Bool = true
  ) throws(ConfigurationError) {
    let source = ConfigurationSource.file(name)
    let own = try Self.settings(in: yaml, from: source, ConfigurationBase(of: file))
    let settings = try Self.preset(of: own + further) + own + further

    self.init()
    var places: [String: Setting] = [:]
    for setting in settings {
      guard setting.key.read(setting.value, &self) else { throw setting.refusal }
      places[setting.key.path] = setting
    }
    let unsaid = ConfigurationTable.keys.filter { places[$0.path] == nil }
    for key in unsaid where key.path == "data.format" { key.setDependentDefault(&self) }
    // What is there is the format, from here on; where that cannot be told, reading the data says why.
    if data.format == .auto, readsData, let path = data.path, let known = try? DataFormat.recognised(at: path) {
      data.format = known.format
    }
    for key in unsaid where key.path != "data.format" { key.setDependentDefault(&self) }
    if places["data.validation_split"] == nil, ConfigurationTable.isOfEarlierVersion(own.map(\.key.path)) {
      data.validationSplit = SplitChoice(.end)
    }

    for check in ConfigurationCheck.all + (readsData ? [.dataPath] : []) {
      guard let violation = check.violation(self) else { continue }
      let place = check.keys.compactMap { places[$0] }.last
      throw place?.error(violation) ?? source.error(violation)
    }
  }

  /// A key with the value that it was given, and where.
  package struct Setting {
    package let key: ConfigurationKey
    package let value: Node
    let source: ConfigurationSource

    package init(key: ConfigurationKey, value: Node, source: ConfigurationSource) {
      self.key = key
      self.value = value
      self.source = source
    }

    package func error(_ message: String) -> ConfigurationError { source.error(message, at: value.position) }

    package var refusal: ConfigurationError {
      let reason = key.reason(value).map { " (\($0))" } ?? ""
      return error("key '\(key.path)': expected \(key.expected), got \(value.shown)\(reason)")
    }
  }

  private static func settings(
    in yaml: String, from source: ConfigurationSource, _ base: ConfigurationBase
  ) throws(ConfigurationError) -> [Setting] {
    var settings: [Setting] = []
    var inherited: [Setting] = []
    let root = try ConfigurationYAML.parse(yaml, from: source)
    for (section, value) in try entries(of: root, "sections such as 'training:'", source) {
      let name = section.text ?? ""
      if name == ConfigurationBase.key {
        let file = try base.file(named: value, source)
        inherited = try self.settings(in: ConfigurationFile.read(file.path), from: .file(file.path), file.base)
        continue
      }
      guard ConfigurationTable.sections.contains(name[...]) else {
        throw source.error(
          "unknown key '\(section.shown)'\(ConfigurationTable.hint(for: name))", at: section.position)
      }
      settings += try self.settings(of: value, in: name, source)
    }
    return inherited + settings
  }

  /// The keys of a section, or of a group within one.
  private static func settings(
    of node: Node, in group: String, _ source: ConfigurationSource
  ) throws(ConfigurationError) -> [Setting] {
    var settings: [Setting] = []
    for (key, value) in try entries(of: node, "the keys of the section '\(group)', indented", source) {
      let path = "\(group).\(key.text ?? "")"
      if ConfigurationTable.groups.contains(path) {
        settings += try self.settings(of: value, in: path, source)
        continue
      }
      guard let known = ConfigurationTable.byPath[path], known.group == group else {
        let shown = "\(group).\(key.shown)"
        throw source.error(
          "unknown key '\(shown)'\(ConfigurationTable.hint(for: path))", at: key.position)
      }
      settings.append(Setting(key: known, value: value, source: source))
    }
    return settings
  }

  /// The pairs of a mapping; none where nothing is written, as in a section whose keys are all comments.
  package static func entries(
    of node: Node?, _ expected: String, _ source: ConfigurationSource
  ) throws(ConfigurationError) -> [(Node, Node)] {
    guard let node, node.scalar.map({ $0.style != .plain || !$0.string.isEmpty }) ?? true else { return [] }
    guard let mapping = node.mapping else {
      throw source.error("expected \(expected), got \(node.shown)", at: node.position)
    }
    return mapping.map { ($0.key, $0.value) }
  }

  package static func setting(of argument: String) throws(ConfigurationError) -> Setting {
    try setting(of: argument, from: .override(argument))
  }

  static func setting(of argument: String, from source: ConfigurationSource) throws(ConfigurationError) -> Setting {
    guard let equals = argument.firstIndex(of: "=") else { throw source.error("expected key=value") }
    let path = String(argument[..<equals])
    guard let key = ConfigurationTable.byPath[path] else {
      if let first = ConfigurationTable.keys.first(where: { $0.section == path || $0.group == path }) {
        throw source.error("'\(path)' is a section; name one of its keys, such as '\(first.path)'")
      }
      throw source.error("unknown key '\(Node(path).shown)'\(ConfigurationTable.hint(for: path))")
    }
    let text = String(argument[equals...].dropFirst())
    // YAML would drop it without a word: "data.path=set #2" is not the folder "set".
    if YAMLText.holdsComment(text) {
      throw source.error(
        "'#' starts a comment here, which --set does not take; in a value it stands in quotes: "
          + "--set \(ShellWord.quoted("\(path)=\(YAMLText.quoted(YAMLText.shown(text, limit: 200)))"))")
    }
    let value = try ConfigurationYAML.parse(text, from: source)
    return Setting(key: key, value: value ?? Node(""), source: source)
  }
}
