/// A key whose value sets the weights and is not what the run began with.
package struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
  package let key: String
  package let saved: String
  package let current: String

  package init(key: String, saved: String, current: String) {
    self.key = key
    self.saved = saved
    self.current = current
  }

  package var description: String { "'\(key)' is \(current), but the run began with \(saved)" }
}

extension RunConfiguration {
  /// Every key with its value in force, by section and in the order of the table. Read again, it is this configuration.
  package var resolvedYAML: String {
    ConfigurationTable.sections.map { section in
      var text = "\(section):\n"
      var open = section
      for key in ConfigurationTable.keys where key.section == section {
        let isGrouped = key.group != section
        if isGrouped, key.group != open { text += "  \(key.group.dropFirst(section.count + 1)):\n" }
        open = key.group
        text += "\(isGrouped ? "    " : "  ")\(key.name): \(key.write(self))\n"
      }
      return text
    }.joined(separator: "\n")
  }

  /// Whether a text is what a run writes, as far as a user would miss it: without a line, such as a comment, that its
  /// resolved form lacks.
  package static func isWritten(_ text: String, name: String) throws(ConfigurationError) -> Bool {
    let configuration = try RunConfiguration(yaml: text, name: name, file: name, readsData: false)
    let written = Set(configuration.resolvedYAML.split(separator: "\n"))
    return text.split(separator: "\n").allSatisfy(written.contains)
  }

  /// What a resumed run may not change, and did. Where things lie, when the run stops, saves and reports may change: a
  /// data set may have been moved. `training.shards: auto` takes what the run began with. Where the average teaches, it
  /// moves the weights.
  package func differences(from saved: RunConfiguration) -> [ConfigurationDifference] {
    var current = self
    if current.training.shards == .auto { current.training.shards = saved.training.shards }
    let (before, after) = (saved.comparable, current.comparable)
    return ConfigurationTable.keys.filter { $0.setsWeights(of: after) }.compactMap { key in
      let (old, new) = (key.write(before), key.write(after))
      return old == new ? nil : ConfigurationDifference(key: key.path, saved: old, current: new)
    }
  }

  /// This configuration as a run that is resumed has it: what was not said is what the run began with.
  package func resuming(_ saved: RunConfiguration) -> RunConfiguration {
    var resumed = self
    if !data.validationSplit.isSaid { resumed.data.validationSplit = saved.data.validationSplit }
    return resumed
  }

  /// The same for what has no effect: where nothing is held out, it does not matter how.
  package var comparable: RunConfiguration {
    var result = self
    if data.validation == .none { result.data.validationSplit = SplitChoice(.stratified) }
    return result
  }

  /// Without the numbers that a run has written for what `given` leaves to its data, or to the weights that it starts
  /// from.
  package func leavingOpen(what given: RunConfiguration) -> RunConfiguration {
    var open = self
    if given.data.mean == nil { open.data.mean = nil }
    if given.data.std == nil { open.data.std = nil }
    guard given.model.startingWeights != nil else { return open }
    if given.data.size == nil { open.data.size = nil }
    if given.data.channels == nil { open.data.channels = nil }
    if given.data.classes == nil { open.data.classes = nil }
    if given.model.classes == nil { open.model.classes = nil }
    return open
  }

  /// Everything that sets the weights, as text that is equal where the values are.
  package var identity: String { text { $0.setsWeights(of: self) } }

  /// Everything that ranks must agree on, lest one stops or saves where others go on: all but where things lie.
  package var agreedText: String { text { $0.role != .place } }

  private func text(where isIncluded: (ConfigurationKey) -> Bool) -> String {
    let configuration = comparable
    return ConfigurationTable.keys.filter(isIncluded).map { "\($0.path): \($0.write(configuration))\n" }.joined()
  }

  /// Whether the target pass has the average's weights (`distillation.teacher: ema`).
  package var averageTeaches: Bool { icp.rule != .none && icp.objective != .task && distillation.teacher == .ema }
}

extension ConfigurationKey {
  /// Whether the weights of a run of `configuration` depend on this key.
  fileprivate func setsWeights(of configuration: RunConfiguration) -> Bool {
    role == .weights || (path == "training.ema" && configuration.averageTeaches)
  }
}
