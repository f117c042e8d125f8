import ArgumentParser
import Benchmarks
import Files
import MPI
import Runtime
import Scaling

struct ScaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Measure how training scales with ranks and hosts, and say what more of them would do.",
    discussion: """
      launch/scale runs all of it in one job: the points that `plan` lists, each by `point` under mpirun, `probe`, and the report. \
      What the figures mean: docs/SCALING.md.
      """,
    subcommands: [ScalePlanCommand.self, ScalePointCommand.self, ScaleProbeCommand.self, ScaleReportCommand.self])
}

extension ScalingSeries: ExpressibleByArgument {}

struct ScalePlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "List the points that are still to be measured, one a line: series, ranks, round.",
    discussion: "Each round has an order of its own, by the seed, so that what drifts falls on all counts alike.")

  @Option(help: ArgumentHelp("Counts of ranks, such as 1,2,4,8.", valueName: "list"))
  var ranks: String

  @Option(
    name: .customLong("series"), parsing: .singleValue,
    help: ArgumentHelp("weak, strong, or whole. May be repeated; default: all.", valueName: "series"))
  var series: [ScalingSeries] = []

  @Option(help: ArgumentHelp("How often each is measured.", valueName: "n"))
  var rounds = 5

  @Option(help: ArgumentHelp("Of the order.", valueName: "n"))
  var seed = 1

  @Option(help: ArgumentHelp("Where measurements go; those that are there are not listed.", valueName: "dir"))
  var output: String

  func run() throws {
    let words = ranks.split(separator: ",", omittingEmptySubsequences: false)
    let counts = words.compactMap { Int($0) }
    guard counts.count == words.count else {
      throw UsageError("--ranks \(ranks): expected whole numbers, for example 1,2,4")
    }
    let plan = try ScalingPlan(
      counts: counts, series: series.isEmpty ? ScalingSeries.allCases : series, rounds: rounds, seed: seed)
    let folder = ScalingFolder(output)
    try folder.check(option: "--output")
    let left = plan.points.filter { !folder.isDone($0) }
    guard !left.isEmpty else { return }
    try StandardOutput.print(
      left.map { "\($0.series.rawValue) \($0.ranks) \($0.round)" }.joined(separator: "\n"))
  }
}

struct ScaleProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Measure the links between the ranks there are, within a host and between hosts.",
    discussion: "Exchanges of two ranks, and sums as a step makes them, with the share that a computation hides.")

  @OptionGroup var timing: RepeatArguments

  @Option(help: ArgumentHelp("The largest message.", valueName: "n"))
  var maxBytes = 4 << 20

  @Option(help: ArgumentHelp("The records are DIR/probe.jsonl.", valueName: "dir"))
  var output: String

  func validate() throws {
    guard (1 << 10...1 << 28).contains(maxBytes) else {
      throw ValidationError("--max-bytes is \(maxBytes), expected \(1 << 10) to \(1 << 28)")
    }
  }

  func run() throws {
    try Ranks.run { communicator in
      try communicator.agree(on: "the command line", "\(timing.options) \(maxBytes)")
      let folder = ScalingFolder(output)
      try communicator.onFirstRank { try folder.check(option: "--output") }
      let records = try NetworkProbe(communicator, options: timing.options).run(largest: maxBytes)
      try communicator.onFirstRank { try ScalingFolder.write(ScalingFolder.text(records), to: folder.probeFile) }
    }
  }
}
