import ArgumentParser
import Files
import Runtime
import Studies

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs over seeds, with a baseline.",
    discussion: """
      Prints a sentence for each variant, then mean, deviation, difference with its interval, and cost.
      RUN is a run's directory, or one with runs below it, such as a study's.
      Runs of a study keep their names.
      Other runs that are equal but for training.seed are one variant.
      It is called by the keys in which the variants differ.
      docs/STUDIES.md says what the tables mean.

        icp compare studies/low-data --metric test_loss
        icp compare runs/a runs/b runs/c runs/d --baseline rule=none
      """)

  @Argument(help: ArgumentHelp("Directories.", valueName: "run"))
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "The variant that others are compared with; default: the study's, or the one called plain or rule=none.",
      valueName: "variant"))
  var baseline: String?

  @Option(
    name: .customLong("metric"), parsing: .singleValue,
    help: ArgumentHelp(
      "A number of the records `epoch` or `final`, as a column in the place of the usual ones. May be repeated.",
      valueName: "key"))
  var metrics: [String] = []

  @Option(
    help: ArgumentHelp("Writes results.md, results.csv, runs.csv, results.json and plots there.", valueName: "dir"))
  var directory: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let collection = try RunCollection(runs)
    let found = collection.runs
    guard !found.isEmpty else {
      throw UsageError("no run here has come to its end: \(collection.unfinished.prefix(3).joined(separator: ", "))")
    }
    let variants = Set(found.map(\.variant))
    if let baseline, !variants.contains(baseline) {
      throw UsageError(
        "--baseline \(baseline): no such variant; there are \(variants.sorted().joined(separator: ", "))")
    }
    let recorded = found.recorded
    if let missing = metrics.first(where: { !recorded.contains($0) }) {
      throw UsageError("--metric \(missing): in no record; there are \(recorded.sorted().joined(separator: ", "))")
    }
    let comparison = collection.comparison(baseline: baseline, metrics: metrics)
    if let directory {
      try Comparison.checkPlaces(directory)
      try comparison.write(to: directory)
    }
    try StandardOutput.print(json ? comparison.json : comparison.markdown, terminator: "")
  }
}
