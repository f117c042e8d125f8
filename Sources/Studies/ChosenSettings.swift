import Configuration
import Files
import Foundation
import Reporting
import Runtime

/// Settings that a search has chosen, as a file that other sweeps take up.
struct ChosenSettings {
  let text: String
  let settings: [RunConfiguration.Setting]
  private let name: String

  init(path: String) throws(ConfigurationError) {
    text = try ConfigurationFile.read(path)
    let source = ConfigurationSource.file(path)
    settings = try SweepReader(source: source).settings(of: ConfigurationYAML.parse(text, from: source))
    name = path.split(separator: "/").last.map(String.init) ?? path
  }

  /// By what they were chosen, as the first line of a search's file says, or only where they come from; with the keys
  /// that settings laid `over` them, have otherwise.
  func provenance(over: [RunConfiguration.Setting]) -> String {
    let first = text.prefix { $0 != "\n" }
    let origin =
      first.hasPrefix("# \(Self.onValidation)")
      ? "\(YAMLText.shown(String(first.dropFirst(2)), limit: 300)) (\(name))" : "from \(name)"
    let held = settings.map { ($0.key.path, $0.text) }
    let others = over.filter { setting in
      setting.key.role == .weights && !held.contains { $0 == (setting.key.path, setting.text) }
    }
    let keys = others.map(\.key.path).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return origin + (keys.isEmpty ? "" : ", but for \(keys.joined(separator: ", "))")
  }

  /// How the first line of a search's file begins.
  static let onValidation = "by validation_"
}

extension Comparison {
  /// `chosen/NAME.yaml` for each variant that a search has trials of: the best by the mean over seeds, and over the
  /// points of the grid; and in each point's folder its own. A trial with a run that failed, or is not done, is not
  /// chosen. Returns a line for each file.
  func writeChosen(_ search: SettingSearch, _ sweep: Sweep, to directory: String) throws(SaveError) -> [String] {
    var lines: [String] = []
    let places = sweep.points.count > 1 ? sweep.points.map { ([$0], "\(directory)/\($0.name)") } : []
    for (points, folder) in [(sweep.points, directory)] + places {
      for space in search.spaces {
        guard let (trial, text) = chosen(space, search, sweep, at: points) else { continue }
        let file = "\(folder)/chosen/\(space.variant).yaml"
        try StudyFile.write(text, to: file)
        lines.append("\(trial), into \(file)")
      }
    }
    return lines
  }

  /// Nil as long as no trial is done. Of trials that are equally good the first.
  private func chosen(
    _ space: SettingSearch.Space, _ search: SettingSearch, _ sweep: Sweep, at points: [Sweep.Point]
  ) -> (trial: String, text: String)? {
    let (expected, trials) = (points.count * sweep.seeds.count, space.names)
    let scores: [(variant: Sweep.Variant, score: Double)] = sweep.variants.compactMap { variant in
      guard trials.contains(variant.name) else { return nil }
      let values = runs.filter { run in run.variant == variant.name && points.contains { $0.title == run.point } }
        .compactMap { $0.last(search.metric) }.filter(\.isFinite)
      guard values.count == expected, let mean = Statistics.mean(values) else { return nil }
      return (variant, mean)
    }
    let isLower = SettingSearch.isLowerBetter(search.metric)
    guard let best = scores.min(by: { isLower ? $0.score < $1.score : $0.score > $1.score }) else { return nil }
    let place = points.count == 1 && !points[0].title.isEmpty ? " at \(points[0].title)" : ""
    // An earlier search's, the variant's, the trial's: of a key that is given twice the last counts.
    var values: [(key: String, text: String)] = []
    let earlier = sweep.chosenSettings(of: best.variant, at: points[0])?.settings ?? []
    for setting in earlier + best.variant.settings {
      values.removeAll { $0.key == setting.key.path }
      values.append((setting.key.path, setting.text))
    }
    let others: String
    switch search.method {
    case .random: others = "\(scores.count) random trials of `\(space.variant)`"
    case .even: others = "\(scores.count) evenly spread trials of `\(space.variant)`"
    case .halving:
      others = "\(scores.count) that were left of \(space.trials) trials of `\(space.variant)` by successive halving"
    }
    let text =
      "# by \(search.metric) (\(decimal(best.score, places: 4)), mean of \(counted(expected, "run"))), the best of "
      + "\(others)\(place)\n"
      + values.map { "\($0.key): \($0.text)\n" }.joined()
    return (best.variant.name, text)
  }
}

extension RunConfiguration.Setting {
  /// The value as a resolved configuration has it.
  fileprivate var text: String {
    var configuration = RunConfiguration()
    _ = key.read(value, &configuration)
    return key.write(configuration)
  }
}
