import Configuration

/// The keys in which runs differ, and each run's value, by their `config.yaml`.
struct RunSettings {
  let keys: [String]
  private let texts: [String: [String]]

  init(_ runs: [StudyRun]) {
    let found = runs.compactMap { run -> (directory: String, configuration: RunConfiguration)? in
      let file = "\(run.directory)/config.yaml"
      guard let text = try? ConfigurationFile.read(file),
        let configuration = try? RunConfiguration(yaml: text, name: file, readsData: false)
      else { return nil }
      return (run.directory, configuration)
    }
    // The seed has a column of its own; mean and deviation follow from the data, where nobody gave them.
    let candidates = ConfigurationTable.studyKeys.filter {
      !["training.seed", "data.mean", "data.std"].contains($0.path)
    }
    let varying = candidates.filter { key in Set(found.map { key.write($0.configuration) }).count > 1 }
    keys = varying.map(\.path)
    texts = Dictionary(found.map { run in (run.directory, varying.map { $0.write(run.configuration) }) }) { $1 }
  }

  /// Empty of a run whose configuration cannot be read.
  func values(of run: StudyRun) -> [String] { texts[run.directory] ?? keys.map { _ in "" } }
}
