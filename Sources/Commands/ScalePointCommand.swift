import ArgumentParser
import Benchmarks
import Configuration
import Formats
import MPI
import Reporting
import Runtime
import Scaling

struct ScalePointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "point",
    abstract: "Measure one point, with the ranks it was started with: every phase of every rank and step.",
    discussion: """
      Steps of icp train on synthetic images, with overlap and without in turn, and the sum alone. In the weak series each rank \
      has one shard of batch_size / shards samples; in the strong one the batch has `largest` shards; whole is one shard.

        mpirun -n 4 icp scale point CONFIG --series weak --output scaling
      """)

  @OptionGroup var source: ConfigurationArguments

  @Option(help: ArgumentHelp("weak, strong, or whole.", valueName: "series"))
  var series: ScalingSeries

  @Option(help: ArgumentHelp("The most ranks of the series.", valueName: "n"))
  var largest: Int?

  @Option(help: ArgumentHelp("Its number, from 1.", valueName: "n"))
  var round = 1

  @Option(help: ArgumentHelp("Timed steps with overlap, and as many without.", valueName: "n"))
  var repeats = 5

  @Option(help: ArgumentHelp("Steps before them that do not count.", valueName: "n"))
  var warmUp = 2

  @Option(
    help: ArgumentHelp("phases.json of a report: sleep what it says in the place of computing.", valueName: "file"))
  var emulate: String?

  @Option(help: ArgumentHelp("Sleep so many times as long; links should be as much slower.", valueName: "k"))
  var stretch = 1.0

  @Option(help: ArgumentHelp("The record is DIR/points/NAME.jsonl.", valueName: "dir"))
  var output: String

  func validate() throws {
    guard (1...10_000).contains(repeats), (0...10_000).contains(warmUp), (1...10_000).contains(round) else {
      throw ValidationError("--repeats and --round: expected 1 to 10000, --warm-up: 0 to 10000")
    }
    guard stretch.isFinite, (1...10_000).contains(stretch), emulate != nil || stretch == 1 else {
      throw ValidationError("--stretch is \(stretch): expected 1 to 10000, with --emulate")
    }
    if let largest, !(1...ScalingPlan.most).contains(largest) {
      throw ValidationError("--largest is \(largest), expected 1 to \(ScalingPlan.most)")
    }
  }

  func run() throws {
    try Ranks.run { communicator in
      let point = ScalingPoint(series: series, ranks: communicator.size, round: round)
      let largest = largest ?? communicator.size
      guard communicator.size <= largest, series != .whole || communicator.size == 1 else {
        throw SharedError(
          exitCode: ExitCode.usage,
          description: "\(communicator.size) ranks: expected 1 of whole, else --largest at most")
      }
      let (base, configuration) = try communicator.collectively {
        let base = try source.load(readsData: false)
        return (
          base,
          try RunConfiguration.load(
            path: source.config, overrides: source.overriding.all + point.overrides(base, largest: largest),
            readsData: false)
        )
      }
      let emulation = try communicator.collectively {
        try emulate.map { PointBenchmark.Emulation(phases: try EmulatedPhases(path: $0), stretch: stretch) }
      }
      try communicator.agree(
        on: "the command line", "\(point.name) \(largest) \(repeats) \(warmUp) \(emulate ?? "") \(stretch)")
      let folder = ScalingFolder(output)
      try communicator.onFirstRank { try folder.check(option: "--output") }
      let measured = try PointBenchmark(
        configuration: configuration, identity: Checksum.hexadecimal(Checksum.crc32(Array(base.agreedText.utf8))),
        point: point, options: RepeatOptions(warmUp: warmUp, repeats: repeats), emulation: emulation,
        communicator: communicator
      ).run()
      try communicator.onFirstRank {
        try ScalingFolder.write(measured.text, to: folder.file(of: point))
        let count = CountSummary([measured])!
        Fatal.write(
          "icp: \(point.name): \(decimal(count.time * 1e3, places: 2)) ms a step, exposed sums "
            + "\(decimal(count.breakdown.exposed * 1e3, places: 2)), imbalance "
            + "\(decimal(count.breakdown.imbalance * 1e3, places: 2))"
            + (measured.record.isDisturbed
              ? "; DISTURBED: a rank had \(percent(measured.record.processorShare)) of its time" : ""))
      }
    }
  }
}
