import Checkpointing
import Configuration
import Files
import Reporting

/// The same run without the method, or with it, where it lies beside a run.
package enum Counterpart {
  /// Among the runs in the folder that holds `directory`: the last by its name that is as long, of the same seed,
  /// network and data, and has measured an epoch. Nil where there is none.
  package static func path(of configuration: RunConfiguration, in directory: String) -> String? {
    let folder = System.parentDirectory(directory)
    let names = ((try? System().list(folder)) ?? []).sorted().suffix(mostNeighbours)
    func place(_ name: String) -> String { folder == "." ? name : "\(folder)/\(name)" }
    return names.last { name in
      let other = place(name)
      let file = "\(other)/\(RunDirectory.configName)"
      guard other != directory, FileKind(file) == .regular,
        let text = try? ConfigurationFile.read(file),
        let found = try? RunConfiguration(yaml: text, name: file, readsData: false)
      else { return false }
      return (found.icp.refinementSteps == 0) != (configuration.icp.refinementSteps == 0)
        && facts(found) == facts(configuration)
        && !EpochHistory(metricsPath: "\(other)/metrics.jsonl").epochs.isEmpty
    }.map(place)
  }

  /// A folder may hold thousands of runs.
  private static let mostNeighbours = 200

  /// What two runs have in common that are worth a comparison.
  private static func facts(_ configuration: RunConfiguration) -> [String] {
    [
      "data.format", "data.path", "data.limit", "model.kind", "training.epochs", "training.max_steps", "training.seed",
    ]
    .map { ConfigurationTable.byPath[$0]!.write(configuration) }
  }
}
