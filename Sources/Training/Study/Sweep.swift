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
    var settings: [RunConfiguration.Setting]
    var epochs = Epochs.own
    /// A file of settings that a search has chosen; `{point}` in it stands for the point's name.
    var file: String?
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
    return try folder.description()
  }

  /// What all ranks must have read alike.
  package var identity: String {
    let settings = overrides.map { "\($0.key.path)=\($0.value.shown)" }
    return ([text, baseText] + settings + chosen.sorted { $0.key < $1.key }.map(\.value.text)).joined(separator: "\n")
  }

  /// Every run, in the order in which they are taken: seed by seed, so that a study that is cut short has whole rows; those
  /// whose length depends on what others cost come last.
  package func runs() throws(ConfigurationError) -> [SweepRun] { try runs(of: seeds) }

  /// More than anybody makes, and few enough to be listed in memory, whatever a file asks for.
  static let runLimit = 20_000

  func runs(of seeds: [Int]) throws(ConfigurationError) -> [SweepRun] {
    var runs: [SweepRun] = []
    let waiting = { (variant: Variant) in if case .equalCompute = variant.epochs { true } else { false } }
    for isLast in [false, true] {
      for seed in seeds {
        for point in points {
          for variant in variants where waiting(variant) == isLast {
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
  private let make: (Double) throws(ConfigurationError) -> RunConfiguration

  init(_ sweep: Sweep, point: Sweep.Point, variant: Sweep.Variant, seed: Int) throws(ConfigurationError) {
    let folders = [point.name, variant.name, "seed-\(seed)"].filter { !$0.isEmpty }
    name = folders.joined(separator: "/")
    (self.point, self.variant, self.seed) = (point, variant.name, seed)
    let chosen = sweep.chosenSettings(of: variant, at: point)
    provenance = chosen?.provenance(of: variant)
    searchMetric = sweep.search?.metric
    make = { (factor: Double) throws(ConfigurationError) in
      var settings = [try RunConfiguration.setting(of: "checkpoint.keep=1")] + sweep.settings + point.settings
      for override in sweep.conditional where override.matches(point, variant.name) { settings += override.settings }
      settings += chosen?.settings ?? []
      settings += variant.settings
      settings.append(try RunConfiguration.setting(of: "training.seed=\(seed)"))
      settings += sweep.overrides
      let configuration = try RunConfiguration(yaml: sweep.baseText, name: sweep.baseName, settings: settings)
      return try configuration.lengthened(by: factor).settlingShards(ranks: sweep.ranksPerRun)
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
  /// With more or fewer epochs, at least one; evaluated as often in all, for the best of more epochs would be better by chance.
  func lengthened(by factor: Double) -> RunConfiguration {
    // Beyond 2^53, the largest that a configuration may say, nobody counts.
    func times(_ count: Int) -> Int { max(1, Int(min((Double(count) * factor).rounded(), 0x1p53))) }
    var longer = self
    longer.training.epochs = times(training.epochs)
    longer.evaluation.everyEpochs = evaluation.everyEpochs.map(times)
    return longer
  }

  /// Tells runs of a study apart by what their results depend on: not by where things lie, nor by when they save and log.
  package var studyChecksum: String {
    let silent: Set<Substring> = ["checkpoint", "agreement", "watchdog", "logging"]
    let text = ConfigurationTable.keys.filter { $0.role != .place && !silent.contains($0.section) }
      .map { "\($0.path): \($0.write(self))\n" }.joined()
    return Checksum.hexadecimal(Checksum.crc32(text.utf8))
  }

  /// Of the file that labels are read from: nil where none is, or it cannot be read, which the run itself will say.
  package var labelFileChecksum: String? {
    data.labelNoise.file.flatMap { FileManager.default.contents(atPath: $0) }
      .map { data in Checksum.hexadecimal(Checksum.crc32(data)) }
  }
}
