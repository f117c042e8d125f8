import Configuration
import Foundation
import Yams

/// Reads sweep files. Every error names file, line, key and what was expected, as for configurations.
extension Sweep {
  private static let keys = [
    "about", "base", "ranks_per_run", "seeds", "baseline", "metrics", "checkpoints", "settings", "groups", "grid",
    "overrides",
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

    self.source = source
    text = yaml
    about = try fields["about"].map { node throws(ConfigurationError) in
      try reader.text(node, "about", "a sentence or two")
    }
    if let base = fields["base"] {
      baseName = place(try reader.text(base, "base", "a configuration file"))
      baseText = try ConfigurationFile.read(baseName)
    } else {
      baseName = "the defaults"
      baseText = ""
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

    let seedCount = seeds.count
    search = try fields["search"].map { node throws(ConfigurationError) in
      let search = try reader.search(node, seeds: seedCount)
      for space in search.spaces { try check(space.variant, "variants", node) }
      return search
    }
    if let search { written = try reader.replacing(written, by: search, baseline: baseline, at: fields["search"]) }
    for index in written.indices { written[index].file = written[index].file.map(place) }
    variants = written
    var chosen: [String: ChosenSettings] = [:]
    for point in points {
      for file in variants.compactMap(\.file) {
        let path = Self.path(file, at: point)
        do throws(ConfigurationError) {
          if chosen[path] == nil { chosen[path] = try ChosenSettings(path: path) }
        } catch {
          throw source.error("key 'file', which starts where this file lies: \(error)", at: node.position)
        }
      }
    }
    self.chosen = chosen

    guard points.count * variants.count * seeds.count <= Self.runLimit else {
      throw reader.tooMany(at: fields["variants"])
    }
    // Every combination, so that none fails hours later; of all seeds alike.
    for run in try runs(of: [seeds[0]]) {
      if case .count(let shards) = run.configuration.training.shards, shards < ranksPerRun {
        throw source.error(
          "'ranks_per_run' is \(ranksPerRun), and 'training.shards' of \(run.name) \(shards): a rank needs a shard",
          at: fields["ranks_per_run"]?.position)
      }
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
