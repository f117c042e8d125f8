import ArgumentParser
import Configuration
import MPI
import Supervision
import Sessions

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a network as a configuration says.",
    discussion: """
      Keys, values and defaults: docs/CONFIGURATION.md. The run's files: RUN/config.yaml (everything, resolved),
      RUN/metrics.jsonl (a record a line), RUN/checkpoints/. To stop early: --set training.max_steps=N; to go on:
      the same command with --run-dir RUN --resume auto, at any number of ranks.
      """)

  @OptionGroup var source: ConfigurationArguments

  @Option(help: ArgumentHelp("Where the run's files go; default runs/NAME-TIME.", valueName: "dir"))
  var runDir: String?

  @Option(
    help: ArgumentHelp(
      "auto: go on from the newest checkpoint that verifies, from the start where there is none; never: start over; "
        + "PATH: go on from this checkpoint. Without it, a directory that holds checkpoints is refused.",
      valueName: "auto|never|path"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Writes when each rank entered each phase of these steps to RUN/trace.json, which https://ui.perfetto.dev shows.",
      valueName: "first-last"))
  var trace: TracedSteps?

  @Flag(help: "Check configuration, data, model, ranks and memory, print what would run, and stop.")
  var dryRun = false

  func run() throws {
    StopRequests.listenUntilReady()
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load() }
      try communicator.agree(on: "the command line", "\(dryRun) \(resume ?? "") \(trace.map { "\($0.steps)" } ?? "")")
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let session = TrainingSession(
        configuration: configuration, name: source.config, runDirectory: runDir,
        resume: ResumeChoice(resume), communicator: communicator, supervision: supervision, tracedSteps: trace?.steps)
      if dryRun { try session.describe() } else { try session.run() }
    }
  }
}

/// `12`, or `10-20`.
struct TracedSteps: ExpressibleByArgument {
  let steps: ClosedRange<Int>

  init?(argument: String) {
    let words = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(words.count), let first = words[0], let last = words.last!, first >= 1, first <= last,
      last - first < 10_000
    else { return nil }
    steps = first...last
  }
}

/// What every command with a configuration takes.
struct ConfigurationArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("A YAML file.", valueName: "config"))
  var config: String

  @OptionGroup var overriding: OverrideArguments

  func load(readsData: Bool = true) throws(ConfigurationError) -> RunConfiguration {
    try RunConfiguration.load(path: config, overrides: overriding.all, readsData: readsData)
  }
}

/// Values that stand above those of the file.
struct OverrideArguments: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Overrides one key; the value is YAML. May be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  /// More values after one --set: `--set a.b=1 c.d=2`.
  @Argument(help: .hidden)
  var moreOverrides: [String] = []

  var all: [String] { overrides + moreOverrides }

  func validate() throws {
    if let stray = moreOverrides.first(where: { !$0.contains("=") }) {
      throw ValidationError("Unexpected argument '\(stray)'")
    }
  }
}
