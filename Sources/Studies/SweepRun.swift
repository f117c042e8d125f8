import Configuration
import Formats
import Foundation

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
  /// Of a trial in a search by halving.
  let trial: TrialRung?
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
    trial = sweep.rung(of: variant, seed: seed)
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
        try RunConfiguration(
          yaml: sweep.baseText, name: sweep.baseName, file: sweep.baseName, settings: settings
        )
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
