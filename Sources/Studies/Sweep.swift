import Configuration
import Formats
import Foundation

/// A study as a sweep file says it: settings times seeds over a base configuration (docs/STUDIES.md).
package struct Sweep {
  /// What stays in a run's directory once it is done.
  package enum Checkpoints: String, CaseIterable, Sendable { case last, all, none }

  /// A point of the grid: a group of the tables, in which variants are compared.
  struct Point {
    /// A folder's name: `samples_per_class-50`; empty where there is no grid.
    var name: String
    /// `samples_per_class 50, rate 0.2`
    var title: String
    /// What `overrides` look at: the values as they are written, by key; `group` too.
    var values: [String: String]
    var settings: [RunConfiguration.Setting]
  }

  /// One of the things compared.
  struct Variant {
    enum Epochs: Sendable, Equatable {
      /// As configured.
      case own
      /// Times this.
      case times(Double)
      /// Times what another variant's steps cost, measured in the baseline's.
      case equalCompute(with: String)
    }

    var name: String
    /// The variant in the file: of a trial, the one that is searched for.
    var origin: String
    var settings: [RunConfiguration.Setting]
    var epochs = Epochs.own
    /// A file of settings that a search has chosen; `{point}` in it stands for the point's name.
    var file: String?

    /// Of a trial: what was drawn, as a table has it.
    var drawn: String?
    /// Of a trial in a search by halving: which one, and the part of its epochs that this is.
    var trial: (name: String, epochs: Double)?

    init(name: String) { (self.name, origin, settings) = (name, name, []) }
  }

  /// Further settings where a point of the grid, or a variant, matches.
  struct Override {
    /// Accepted texts by key of the grid, or by `group` and `variant`.
    var conditions: [String: [String]]
    var settings: [RunConfiguration.Setting]

    func matches(_ point: Point, _ variant: String) -> Bool {
      conditions.allSatisfy { key, texts in
        (key == "variant" ? variant : point.values[key]).map(texts.contains) ?? false
      }
    }
  }

  /// The file as the user named it.
  let source: ConfigurationSource
  let text: String
  let baseName: String
  let baseText: String
  package let ranksPerRun: Int
  let seeds: [Int]
  package let baseline: String?
  package let metrics: [String]
  /// What the study asks, for people.
  package let about: String?
  let checkpoints: Checkpoints
  let settings: [RunConfiguration.Setting]
  let points: [Point]
  let variants: [Variant]
  let conditional: [Override]
  package let search: SettingSearch?
  /// `--set` of the command line.
  let overrides: [RunConfiguration.Setting]
  /// Files of chosen settings by path, each read once.
  let chosen: [String: ChosenSettings]

  /// `--dry-run`: the runs, with those that are done in `directory`.
  package func description(directory: String) throws -> String {
    var folder = StudyFolder(path: directory, sweep: self, runs: try runs())
    try folder.checkPlaces()
    return try folder.description()
  }

  /// What all ranks must have read alike.
  package var identity: String {
    let settings = overrides.map { "\($0.key.path)=\($0.value.shown)" }
    return ([text, baseText] + settings + chosen.sorted { $0.key < $1.key }.map(\.value.text)).joined(separator: "\n")
  }

  /// Every run, in the order in which they are taken: seed by seed, so that a study that is cut short has whole rows;
  /// those whose length depends on what others cost come last.
  package func runs() throws(ConfigurationError) -> [SweepRun] { try runs(of: seeds) }

  /// More than anybody makes, and few enough to be listed in memory, whatever a file asks for.
  static let runLimit = 20_000

  func runs(of seeds: [Int]) throws(ConfigurationError) -> [SweepRun] {
    var runs: [SweepRun] = []
    for isLast in [false, true] {
      for seed in seeds {
        for point in points {
          for variant in variants where variant.epochs.isKnown != isLast && wants(seed, of: variant) {
            runs.append(try SweepRun(self, point: point, variant: variant, seed: seed))
          }
        }
      }
    }
    return runs
  }

  /// Whether a run of that seed may come: in a search by halving, whether a rung asks for it.
  private func wants(_ seed: Int, of variant: Variant) -> Bool {
    search?.halving == nil || variant.trial == nil || rung(of: variant, seed: seed) != nil
  }

  /// In a search by halving, the first rung that asks for a run of a trial.
  func rung(of variant: Variant, seed: Int) -> TrialRung? {
    guard let halving = search?.halving, let trial = variant.trial, let place = seeds.firstIndex(of: seed),
      let rung = halving.rung(epochs: trial.epochs, seed: place)
    else { return nil }
    return TrialRung(variant: variant.origin, trial: trial.name, epochs: trial.epochs, rung: rung)
  }

  /// Whose settings a run of `variant` at `point` takes from a file, where it does.
  func chosenSettings(of variant: Variant, at point: Point) -> ChosenSettings? {
    variant.file.flatMap { chosen[Self.path($0, at: point)] }
  }

  static func path(_ file: String, at point: Point) -> String { file.replacing("{point}", with: point.name) }
}
