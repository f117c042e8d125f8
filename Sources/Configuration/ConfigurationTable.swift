/// The keys, in the order in which they are written: its files are the only places that name them.
package enum ConfigurationTable {
  package static let keys = data + model + training + optimizer + schedule + icp + distillation + branches + running

  package static let sections = keys.map(\.section).reduce(into: [Substring]()) { sections, section in
    if sections.last != section { sections.append(section) }
  }

  /// The groups of keys within sections.
  static let groups = Set(keys.map(\.group)).subtracting(sections).map(String.init).sorted()

  package static let byPath = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })

  /// Whether a text with these keys, without `data.validation_split`, was written by a version that had no such key: as
  /// RUN/config.yaml and checkpoints' texts do, it gives every older key of the section, which nobody does by hand.
  static func isOfEarlierVersion(_ paths: [String]) -> Bool {
    let older = ["format", "path", "size", "shuffle", "augment", "mean", "std", "limit", "test_limit", "validation"]
    return Set(older.map { "data.\($0)" }).isSubset(of: paths)
  }

  package typealias Key = ConfigurationKey
}
