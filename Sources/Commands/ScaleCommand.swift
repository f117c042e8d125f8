import ArgumentParser
import Benchmarks
import Configuration
import Files
import Formats
import MPI
import Reporting
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

struct ScaleReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Print and write what a folder's points come to; of two folders, compare them.",
    discussion: """
      Writes report.md, points.csv, summary.jsonl, weak.svg, strong.svg, breakdown.svg, extra-p.txt and phases.json into each \
      folder. Times of more ranks are predicted where the model is at most 10 % off on the two largest counts, on which it \
      was not fitted.

        icp scale report scaling --link 1gbit --link 10gbit:30us --ranks-per-host 16
        icp scale report before after
      """)

  @Argument(help: ArgumentHelp("A folder of launch/scale, or two.", valueName: "dir"))
  var folders: [String]

  @Option(help: ArgumentHelp("The most ranks that are predicted.", valueName: "n"))
  var to = 4096

  @Option(help: ArgumentHelp("Ranks of each host there; default: as the largest count has it.", valueName: "n"))
  var ranksPerHost: Int?

  @Option(
    name: .customLong("link"), parsing: .singleValue,
    help: ArgumentHelp(
      "Predict over hosts joined by such links too: a rate and the latency of an exchange, which is 50us unless you say otherwise. May be repeated.",
      valueName: "rate:latency"))
  var links: [NetworkLink] = []

  func validate() throws {
    guard (1...2).contains(folders.count) else { throw ValidationError("expected one folder, or two to compare") }
    guard (1...ScalingPlan.most).contains(to), ranksPerHost.map({ (1...4096).contains($0) }) ?? true else {
      throw ValidationError("--to: expected 1 to \(ScalingPlan.most), --ranks-per-host: 1 to 4096")
    }
  }

  func run() throws {
    let options = ScalingReport.Options(mostRanks: to, ranksOnHost: ranksPerHost, links: links.map(\.link))
    let measured = try folders.map { folder throws(FileError) in
      try ScalingMeasurements(ScalingFolder(folder))
    }
    for measurements in measured {
      let report = ScalingReport(measurements, options)
      try report.write(to: ScalingFolder(measurements.name))
      if measured.count == 1 { try StandardOutput.print(report.markdown, terminator: "") }
    }
    if measured.count == 2 {
      try StandardOutput.print(ScalingComparison(measured[0], measured[1]).markdown, terminator: "")
    }
  }
}

/// `10gbit`, or `10gbit:30us`.
struct NetworkLink: ExpressibleByArgument {
  let link: ScalingForecast.Link

  init?(argument: String) {
    let words = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(words.count),
      let rate = Self.number(words[0], ["kbit": 1e3, "mbit": 1e6, "gbit": 1e9]),
      let latency = Self.number(words.count > 1 ? words[1] : "50us", ["us": 1e-6, "ms": 1e-3]), rate > 0
    else { return nil }
    link = ScalingForecast.Link(name: argument, latency: latency, byte: 8 / rate)
  }

  private static func number(_ text: String, _ units: [String: Double]) -> Double? {
    units.lazy.compactMap { unit, scale in
      text.hasSuffix(unit) ? Double(text.dropLast(unit.count)).map { $0 * scale } : nil
    }.first { $0.isFinite && $0 >= 0 }
  }
}
