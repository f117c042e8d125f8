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
          for variant in variants where variant.epochs.isKnown != isLast {
            runs.append(try SweepRun(self, point: point, variant: variant, seed: seed))
          }
        }
      }
    }
    return runs
  }

  /// Whose settings a run of `variant` at `point` takes from a file, where it does.
  func chosenSettings(of variant: Variant, at point: Point) -> ChosenSettings? {
    variant.file.flatMap { chosen[Self.path($0, at: point)] }
  }

  static func path(_ file: String, at point: Point) -> String { file.replacing("{point}", with: point.name) }
}

/// A run of a sweep: where it lies, and its configuration.
package struct SweepRun {
  /// The path below the sweep's directory: `samples_per_class-50/adam/seed-0`.
  package let name: String
  package let variant: String
  package let seed: Int
  let point: Sweep.Point
  /// With its epochs; where these depend on what other runs cost, with those of an equal number of epochs.
  package let configuration: RunConfiguration
  /// The variant whose compute it is to match.
  package let equalComputeWith: String?
  /// Where a search has chosen its settings: by what, and in which file.
  package let provenance: String?
  /// In a search: what its runs are compared by.
  let searchMetric: String?
  /// Of a trial.
  let drawn: String?
  private let make: (Double) throws(ConfigurationError) -> RunConfiguration

  init(_ sweep: Sweep, point: Sweep.Point, variant: Sweep.Variant, seed: Int) throws(ConfigurationError) {
    let folders = [point.name, variant.name, "seed-\(seed)"].filter { !$0.isEmpty }
    name = folders.joined(separator: "/")
    self.point = point
    self.variant = variant.name
    self.seed = seed
    let chosen = sweep.chosenSettings(of: variant, at: point)
    provenance = chosen?.provenance(over: variant.settings + sweep.overrides)
    searchMetric = sweep.search?.metric
    drawn = variant.drawn
    make = { (factor: Double) throws(ConfigurationError) in
      // As `icp train` keeps them only where the study says so.
      var settings = sweep.checkpoints == .all ? [] : [try RunConfiguration.setting(of: "checkpoint.keep=1")]
      settings += sweep.settings + point.settings
      for override in sweep.conditional where override.matches(point, variant.origin) { settings += override.settings }
      settings += chosen?.settings ?? []
      settings += variant.settings
      settings.append(try RunConfiguration.setting(of: "training.seed=\(seed)"))
      settings += sweep.overrides
      func load() throws(ConfigurationError) -> RunConfiguration {
        try RunConfiguration(yaml: sweep.baseText, name: sweep.baseName, settings: settings)
          .settlingShards(ranks: sweep.ranksPerRun)
      }
      let configuration = try load()
      guard factor != 1 else { return configuration }
      settings += try configuration.lengthening(by: factor)
      return try load()
    }
    switch variant.epochs {
    case .own: (configuration, equalComputeWith) = (try make(1), nil)
    case .times(let factor): (configuration, equalComputeWith) = (try make(factor), nil)
    case .equalCompute(let other): (configuration, equalComputeWith) = (try make(1), other)
    }
  }

  /// What it runs with where its compute makes the epochs times `factor`.
  func configuration(epochsFactor factor: Double) throws(ConfigurationError) -> RunConfiguration {
    equalComputeWith == nil ? configuration : try make(factor)
  }
}

extension RunConfiguration {
  /// What makes a run longer, or shorter: its epochs, at least one, and steps where these end it; evaluated as often in
  /// all, for the best of more epochs would be better by chance.
  func lengthening(by factor: Double) throws(ConfigurationError) -> [Setting] {
    // A billion is what a configuration may say.
    func times(_ count: Int) -> Int { max(1, Int(min((Double(count) * factor).rounded(), 1e9))) }
    var settings = [try Self.setting(of: "training.epochs=\(times(training.epochs))")]
    if let steps = training.maxSteps { settings.append(try Self.setting(of: "training.max_steps=\(times(steps))")) }
    if let epochs = evaluation.everyEpochs {
      settings.append(try Self.setting(of: "evaluation.every_epochs=\(times(epochs))"))
    }
    return settings
  }

  /// Tells runs of a study apart by what their results depend on: not by where things lie, nor by when they save and
  /// log.
  package var studyChecksum: String {
    let configuration = comparable
    let text = ConfigurationTable.studyKeys.map { "\($0.path): \($0.write(configuration))\n" }.joined()
    return Checksum.hexadecimal(Checksum.crc32(text.utf8))
  }

  /// Of the file that labels are read from: nil where none is, or it cannot be read, which the run itself will say.
  package var labelFileChecksum: String? {
    data.labelNoise.file.flatMap { FileManager.default.contents(atPath: $0) }
      .map { data in Checksum.hexadecimal(Checksum.crc32(data)) }
  }
}

extension ConfigurationTable {
  /// What runs of a study differ in.
  static let studyKeys = keys.filter {
    $0.role != .place && !["checkpoint", "agreement", "watchdog", "logging"].contains($0.section)
  }
}
