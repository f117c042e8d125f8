import ArgumentParser
import Checkpointing
import Files
import Reporting
import Runtime

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Print a run's records as a table.",
    discussion: """
      A row is an epoch, a column a number.
      docs/CONFIGURATION.md, "Records", says what each number is.

        icp metrics RUN --csv > epochs.csv
        icp metrics RUN --csv --kind step > steps.csv
      """)

  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case epoch, step, evaluation, final, all
  }

  @Argument(help: ArgumentHelp("A run's directory.", valueName: "run"))
  var source: String

  @Option(help: ArgumentHelp("Which records; `all` have a column that says their kind.", valueName: "kind"))
  var kind = Kind.epoch

  @Flag(help: "Print CSV, with all digits, and a header.")
  var csv = false

  func run() throws {
    let file = "\(source)/metrics.jsonl"
    guard FileKind(source, followingLinks: true) == .directory else {
      throw UsageError("\(source): no such directory; expected a run's")
    }
    guard FileKind(file) == .regular else {
      throw UsageError("\(source): is no run's directory: it has no metrics.jsonl")
    }
    let table = RecordTable(file, kind: Record.Kind(rawValue: kind.rawValue))
    try StandardOutput.print(csv ? table.csv : table.text, terminator: csv ? "" : "\n")
  }
}
