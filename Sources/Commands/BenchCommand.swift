import ArgumentParser
import Benchmarks
import Files
import MPI

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine is.",
    discussion: """
      Reads no data: images are synthetic, of the shape that the configuration says.
      Prints medians over repeats, after a warm-up. Under mpirun the slowest rank counts.
      Set OMP_NUM_THREADS and OPENBLAS_NUM_THREADS to 1.
      Leave the machine alone meanwhile.
      """,
    subcommands: [BenchStepCommand.self, BenchKernelsCommand.self, BenchAllReduceCommand.self])
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
      Times the step of icp train, with its loader, reduction and optimiser.
      The step is cyclic at alpha 0.7, after ten plain ones; plain where icp.rule is none.
      Then it times each of the network's convolutions alone, with nothing fused into it.
      It does so in the pieces of the refinement, and in those of the training passes.
      convolution_share is the time that they would take at the faster of the two, by the step's.
      gflops counts forward passes' work as docs/METHOD.md does.
      """)

  @OptionGroup var source: ConfigurationArguments
  @OptionGroup var timing: RepeatArguments

  @Flag(help: "Do not time the bare convolutions.")
  var noBare = false

  @Flag(help: "One JSON object: step_seconds (median) images_per_second gflops convolution_share phases and more.")
  var json = false

  func run() throws {
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load(readsData: false) }
      try communicator.agree(on: "the command line", "\(timing.options) \(noBare)")
      let report = try StepBenchmark(
        configuration: configuration, options: timing.options, timesConvolutions: !noBare, communicator: communicator
      ).run()
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
    }
  }
}

struct BenchKernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Time each convolution of a configuration's network, by both implementations.",
    discussion: """
      Times forward, backward to the data and backward to the weights, each alone.
      Nothing is fused, weights are packed beforehand, operands are as warm as their size lets them be.
      Layers of the same geometry are one line.
      """)

  @OptionGroup var source: ConfigurationArguments
  @OptionGroup var timing: RepeatArguments

  @Option(help: ArgumentHelp("Images of a call.", valueName: "n"))
  var batch = 32

  @Flag(help: "One JSON object: layers gflops seconds_per_image and more, by implementation and pass.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(batch) else {
      throw ValidationError("--batch is \(batch), expected 1 to 1000000")
    }
  }

  func run() throws {
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load(readsData: false) }
      try communicator.agree(on: "the command line", "\(timing.options) \(batch)")
      let report = try KernelBenchmark(
        configuration: configuration, batch: batch, options: timing.options, communicator: communicator
      ).run()
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
    }
  }
}

struct BenchAllReduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Time the sum over the ranks, exact and in float32, by message size.",
    discussion: """
      Start it under mpirun as the run would be.
      Exact sums are timed by the calls that training makes, in the same buckets.
      Several ranks on several hosts are timed within a host and between hosts too.
      Algorithm bandwidth is a message's bytes by its time.
      Bus bandwidth is 2 (p - 1) / p times that for p ranks: what the slowest link carries.
      Exact sums (training.gradient_reduction: exact) travel as 8 bytes a gradient, float32 sums as 4.
      """)

  @OptionGroup var timing: RepeatArguments

  @Option(help: ArgumentHelp("The largest message: sizes go from 1 KiB to this, by fours.", valueName: "n"))
  var maxBytes = 64 << 20

  @Flag(help: "One JSON object: sizes, with seconds and bandwidths of exact and float32.")
  var json = false

  func validate() throws {
    guard (1 << 10...1 << 30).contains(maxBytes) else {
      throw ValidationError("--max-bytes is \(maxBytes), expected \(1 << 10) to \(1 << 30)")
    }
  }

  func run() throws {
    try Ranks.run { communicator in
      try communicator.agree(on: "the command line", "\(timing.options) \(maxBytes)")
      let report = try AllReduceBenchmark(
        largest: maxBytes, options: timing.options, communicator: communicator
      ).run()
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
    }
  }
}
