import ArgumentParser
import MPI
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this machine: whole steps.",
    discussion: """
      Reads no data: images are synthetic, of the shape that the configuration's have. Medians over repeats, behind a
      warm-up; under mpirun the slowest rank counts. Set OMP_NUM_THREADS and OPENBLAS_NUM_THREADS to 1, and leave the
      machine alone meanwhile.
      """,
    subcommands: [BenchStepCommand.self])
}

/// What every benchmark takes.
struct RepeatArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Timed repeats, at least 1.", valueName: "n"))
  var repeats = 10

  @Option(help: ArgumentHelp("Repeats before them that do not count.", valueName: "n"))
  var warmUp = 10

  func validate() throws {
    guard (1...Self.most).contains(repeats) else {
      throw ValidationError("--repeats is \(repeats), expected 1 to \(Self.most)")
    }
    guard (0...Self.most).contains(warmUp) else {
      throw ValidationError("--warm-up is \(warmUp), expected 0 to \(Self.most)")
    }
  }

  private static let most = 1_000_000

  var options: RepeatOptions { RepeatOptions(warmUp: warmUp, repeats: repeats) }
}

struct BenchStepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Time the step of a configuration, phase by phase.",
    discussion: """
      The step of icp train, with its loader, reduction and optimiser; cyclic at alpha 0.7, plain where icp.rule is none.
      Afterwards each of the network's convolutions is timed alone, with nothing fused into it: in pieces as in the
      refinement and in whole shards. convolution_share is the time they would take at the faster of the two, by the time
      of the step. gflops counts forward passes' work as docs/METHOD.md does.
      """)

  @OptionGroup var source: ConfigurationArguments
  @OptionGroup var timing: RepeatArguments

  @Flag(help: "Do not time the bare convolutions.")
  var noBare = false

  @Flag(help: "One JSON object: step_seconds (median) images_per_second gflops convolution_share phases and more.")
  var json = false

  func run() throws {
    try Ranks.run { communicator in
      let configuration = try communicator.together { try source.load(readsData: false) }
      try communicator.agree(on: "the command line", "\(timing.options) \(noBare)")
      let report = try StepBenchmark(
        configuration: configuration, options: timing.options, timesConvolutions: !noBare, communicator: communicator
      ).run()
      if communicator.rank == 0 { print(json ? report.json : report.text) }
    }
  }
}
