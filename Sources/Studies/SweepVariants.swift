import Configuration
import Yams

/// The variants of a sweep file, and settings that hold for some of its runs.
extension SweepReader {
  func variants(_ node: Node) throws(ConfigurationError) -> [Sweep.Variant] {
    var variants: [Sweep.Variant] = []
    for (key, value) in try entries(node, "variants by name") {
      var variant = Sweep.Variant(name: try name(key, "a variant"))
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
