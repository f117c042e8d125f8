import Foundation

/// Runs from directories, for `icp compare`: those of sweeps, and any that `icp train` has made.
package enum RunCollection {
  /// `paths`: run directories, or directories with some below them, of which those of sweeps are taken in the order of names.
  /// Throws: UsageError where one holds no run.
  package static func load(_ paths: [String]) throws -> [StudyRun] {
    var runs: [StudyRun] = []
    var plain: [(directory: String, configuration: RunConfiguration)] = []
    for path in paths {
      let directories = found(in: path)
      guard !directories.isEmpty else {
        throw UsageError(
          "\(path): no run here: expected a run's directory, with config.yaml and metrics.jsonl, or a study's")
      }
      for directory in directories {
        if let run = StudyRun(note: directory) {
          runs.append(run)
        } else {
          let file = "\(directory)/config.yaml"
          plain.append(
            (directory, try RunConfiguration(yaml: ConfigurationFile.read(file), name: file, readsData: false)))
        }
      }
    }
    return runs + named(plain)
  }

  private static func found(in path: String) -> [String] {
    let manager = FileManager.default
    let isRun = { (directory: String) in
      [RunNote.done, RunNote.failed, "config.yaml"].contains { manager.fileExists(atPath: "\(directory)/\($0)") }
    }
    if isRun(path) { return [path] }
    let names = ((try? manager.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    // Links are not followed: a loop of them has no end.
    return names.map { "\(path)/\($0)" }.filter { System.isDirectory($0) }.flatMap { found(in: $0) }
  }

  /// Runs without a study: a variant is what is equal but for the seed, and is called by the keys in which the variants differ.
  private static func named(_ runs: [(directory: String, configuration: RunConfiguration)]) -> [StudyRun] {
    let keys = ConfigurationTable.keys.filter { $0.role == .weights && $0.path != "training.seed" }
    let varying = keys.filter { key in Set(runs.map { key.write($0.configuration) }).count > 1 }
    return runs.map { run in
      let names = varying.map { "\($0.name)=\($0.write(run.configuration))" }
      return StudyRun(
        directory: run.directory, point: "", variant: names.isEmpty ? "run" : names.joined(separator: " "),
        seed: run.configuration.training.seed, epochs: StudyRun.epochs(in: run.directory))
    }
  }
}
