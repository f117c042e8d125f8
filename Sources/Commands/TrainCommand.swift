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
      Keys, values and defaults: docs/CONFIGURATION.md.

      A run leaves:
        RUN/config.yaml      every key, resolved
        RUN/metrics.jsonl    a record a line
        RUN/checkpoints/

      To stop early, --set training.max_steps=N.
      To go on, the same command with --run-dir RUN --resume auto.
      To go on after its end, the same command with --extend EPOCHS.
      The number of ranks may be another each time.
      """)

  @OptionGroup var source: ConfigurationArguments

  @Option(help: ArgumentHelp("Where the run's files go; default runs/NAME-TIME.", valueName: "dir"))
  var runDir: String?

  @Option(
    help: ArgumentHelp(
      "auto goes on from the newest checkpoint that verifies, or starts where there is none. never starts over. "
        + "PATH is a checkpoint to go on from. Without it, a directory that holds checkpoints is refused.",
      valueName: "auto|never|path"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Goes on with a run that has come to its end, to so many epochs altogether. Learning rate and alpha go on as a run "
        + "of that length has them. The weights are not the bits of one that was planned so. Needs --run-dir.",
      valueName: "epochs"))
  var extend: Int?

  @Option(
    help: ArgumentHelp(
      "Writes when each rank entered each phase of these steps to RUN/trace.json, which https://ui.perfetto.dev shows.",
      valueName: "first-last"))
  var trace: TracedSteps?

  @Flag(help: "Check configuration, data, model, ranks and memory, print what would run, and stop.")
  var dryRun = false

  func validate() throws {
    guard let extend else { return }
    guard (1...1_000_000_000).contains(extend) else {
      throw ValidationError("--extend is \(extend), expected 1 to 1000000000 epochs")
    }
    guard resume != "never", runDir != nil || (resume != nil && resume != "auto") else {
      throw ValidationError("--extend goes on with a run: name it with --run-dir, without --resume never")
    }
  }

  func run() throws {
    StopRequests.listenUntilReady()
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load() }
      try communicator.agree(
        on: "the command line", "\(dryRun) \(resume ?? "") \(extend ?? 0) \(trace.map { "\($0.steps)" } ?? "")")
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let session = TrainingSession(
        configuration: configuration, name: source.config, runDirectory: runDir,
        resume: ResumeChoice(resume ?? (extend == nil ? nil : "auto")), communicator: communicator,
        supervision: supervision, extendedEpochs: extend, tracedSteps: trace?.steps)
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
