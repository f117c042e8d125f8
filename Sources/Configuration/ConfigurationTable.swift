/// The keys, in the order in which they are written: its files are the only places that name them.
package enum ConfigurationTable {
  package static let keys = data + model + training + optimizer + schedule + icp + distillation + branches + running

  package static let sections = keys.map(\.section).reduce(into: [Substring]()) { sections, section in
    if sections.last != section { sections.append(section) }
  }

  /// The groups of keys within sections.
  static let groups = Set(keys.map(\.group)).subtracting(sections).map(String.init).sorted()

  package static let byPath = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })

  package typealias Key = ConfigurationKey
}
