import Studies

/// A study's file as `ConfigurationInput` takes one, over the defaults. Files that it names lie nowhere.
struct SweepInput {
  private let path: String
  private let overrides: [String]

  init(_ input: [UInt8], in folder: Scratch) { (path, overrides) = folder.writeWithOverrides("s.yaml", input) }

  /// Runs of an accepted study have folders of their own, inside the study's.
  func read() throws {
    let runs = try Sweep.load(path: path, overrides: overrides).runs()
    if Set(runs.map(\.name)).count != runs.count { finding("two runs share a folder") }
    for run in runs where run.name.hasPrefix("/") || run.name.split(separator: "/").contains("..") {
      finding("a run in \(run.name)")
    }
  }
}
