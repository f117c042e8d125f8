import Configuration
import Files
import Foundation
import Runtime

/// Runs from directories, for `icp compare`: those of sweeps, and any that `icp train` has made.
package struct RunCollection {
  package private(set) var runs: [StudyRun] = []
  /// Directories of runs that have not come to their end: they are in no table.
  package private(set) var unfinished: [String] = []
  /// Of the study that the runs are of.
  private var outline: StudyOutline?

  /// `paths`: run directories, or directories with some below them, of which those of sweeps are taken in the order of
  /// names.
  /// Throws: UsageError where one holds no run.
  package init(_ paths: [String]) throws {
    var plain: [(directory: String, configuration: RunConfiguration)] = []
    for path in paths {
      let directories = Self.found(in: path)
      guard !directories.isEmpty else {
        throw UsageError(
          "\(path): no run here: expected a run's directory, with config.yaml and metrics.jsonl, or a study's; "
            + "links below it are not followed")
      }
      for directory in directories {
        if let run = StudyRun(note: directory) {
          runs.append(run)
          continue
        }
        let file = "\(directory)/config.yaml"
        let configuration = try RunConfiguration(
          yaml: ConfigurationFile.read(file), name: file, readsData: false)
        if Self.isFinished(directory, configuration) {
          plain.append((directory, configuration))
        } else {
          unfinished.append(directory)
        }
      }
    }
    runs += Self.named(plain)
    try takeOutline(paths)
    var first: [String: String] = [:]
    for run in runs {
      guard let other = first.updateValue(run.directory, forKey: "\(run.point) \(run.variant) \(run.seed)") else {
        continue
      }
      throw UsageError(
        "\(other) and \(run.directory) are both \(run.variant) of seed \(run.seed): a mean over both would count it twice; "
          + "compare one study at a time")
    }
  }

  /// The study's own baseline, order and columns; runs of it that are not there are counted. Runs of two studies, or of
  /// one and none, share names and no configuration.
  private mutating func takeOutline(_ paths: [String]) throws {
    let studies = Set((runs.map(\.directory) + unfinished).map { Self.study(of: $0) ?? "" }).sorted()
    guard studies.count < 2 else {
      let names = studies.map { $0.isEmpty ? "runs of no study" : $0 }
      throw UsageError("\(names.prefix(2).joined(separator: " and ")): compare one study at a time")
    }
    guard let study = studies.first, let outline = StudyOutline.read(study) else { return }
    self.outline = outline
    let there = Set(runs.map(\.directory) + unfinished)
    unfinished += outline.runs.map { "\(study)/\($0)" }.filter { directory in
      !there.contains(directory) && paths.contains { "\(directory)/".hasPrefix($0.hasSuffix("/") ? $0 : "\($0)/") }
    }
  }

  /// The folder above a run that holds a study's outline.
  private static func study(of directory: String) -> String? {
    var folder = directory
    // POINT/VARIANT/seed-N
    for _ in 0..<3 {
      folder = System.parentDirectory(folder)
      if FileManager.default.fileExists(atPath: "\(folder)/\(StudyOutline.name)") { return folder }
    }
    return nil
  }

  /// - Parameters:
  ///   - baseline: in the place of the study's; without a study the one that is plain training, where there is one.
  ///   - metrics: in the place of the study's.
  package func comparison(baseline: String?, metrics: [String]) -> Comparison {
    Comparison(
      runs: runs, baseline: baseline ?? (outline == nil ? plain : outline?.baseline), order: outline?.variants ?? [],
      points: outline?.points ?? [], unfinished: unfinished.count,
      metrics: metrics.isEmpty ? outline?.metrics ?? [] : metrics, searchMetric: outline?.searchMetric,
      about: outline?.about)
  }

  private var plain: String? {
    let variants = Set(runs.map(\.variant))
    if variants.contains("plain") { return "plain" }
    let plain = variants.filter { $0.split(separator: " ").contains("rule=none") }
    return plain.count == 1 ? plain.first : nil
  }

  /// Whether the records reach the end that the configuration gives. A sweep's run is finished when its note says so.
  private static func isFinished(_ directory: String, _ configuration: RunConfiguration) -> Bool {
    guard !FileManager.default.fileExists(atPath: "\(directory)/.claim"),
      let last = StudyRun.epochs(in: directory).last
    else { return false }
    let (epochs, steps) = (last["epoch"].map { $0 + 1 } ?? 0, last["step"] ?? 0)
    return epochs >= Double(configuration.training.epochs)
      || configuration.training.maxSteps.map { steps >= Double($0) } == true
  }

  /// Directories of runs: `path`, or those below it.
  package static func found(in path: String) -> [String] {
    let isRun = { (directory: String) in
      [RunNote.done, RunNote.failed, "config.yaml"].contains { FileKind("\(directory)/\($0)") == .regular }
    }
    if isRun(path) { return [path] }
    let names = ((try? System().list(path)) ?? []).filter { !$0.hasPrefix(".") }
    // Links are not followed: a loop of them has no end, and a run that two lead to would count twice.
    return names.map { "\(path)/\($0)" }.filter { FileKind($0) == .directory }.flatMap { found(in: $0) }
  }

  /// Runs without a study: a variant is what is equal but for the seed, and is called by the keys in which the variants
  /// differ.
  private static func named(_ runs: [(directory: String, configuration: RunConfiguration)]) -> [StudyRun] {
    // Labels from another file make another training set, wherever it lies.
    let keys =
      ConfigurationTable.studyKeys.filter { $0.path != "training.seed" }
      + [ConfigurationTable.byPath["data.label_noise.file"]!]
    let varying = keys.filter { key in Set(runs.map { key.write($0.configuration) }).count > 1 }
    // Mean and deviation follow from the data where they are not given: of two seeds of drawn images they differ.
    let telling = varying.filter { !["data.mean", "data.std"].contains($0.path) }
    let told = named(runs, by: telling)
    return Set(told.map { "\($0.variant) \($0.seed)" }).count == told.count ? told : named(runs, by: varying)
  }

  private static func named(
    _ runs: [(directory: String, configuration: RunConfiguration)], by varying: [ConfigurationKey]
  ) -> [StudyRun] {
    runs.map { run in
      let names = varying.map { "\($0.name)=\($0.write(run.configuration))" }
      return StudyRun(
        directory: run.directory, point: "", variant: names.isEmpty ? "run" : names.joined(separator: " "),
        seed: run.configuration.training.seed, epochs: StudyRun.epochs(in: run.directory))
    }
  }
}
