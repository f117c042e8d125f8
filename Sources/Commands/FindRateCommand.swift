import ArgumentParser
import Configuration
import Files
import MPI
import Sessions

struct FindRateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-rate",
    abstract: "Suggest a learning rate for a configuration, by a range test.",
    discussion: """
      Trains for some steps, at a rate that rises by the same factor at each, until the loss goes up again.
      The suggestion is the rate at which the smoothed loss falls fastest. It says where to start a search, no more.
      Writes no run. The number of ranks changes nothing.
      """)

  @OptionGroup var source: ConfigurationArguments

  @Option(help: ArgumentHelp("The first rate.", valueName: "rate"))
  var from = 1e-6

  @Option(help: ArgumentHelp("The last rate; default 1, and 10 with sgd.", valueName: "rate"))
  var to: Double?

  @Option(help: ArgumentHelp("Steps from the first rate to the last.", valueName: "n"))
  var steps = 100

  @Option(help: ArgumentHelp("Receives the plot, an SVG picture.", valueName: "file"))
  var plot: String?

  @Flag(help: "One JSON object: rates, losses, smoothed, suggested, best.")
  var json = false

  func validate() throws {
    guard from > 0, from.isFinite, to ?? .infinity > from, to?.isFinite ?? true else {
      throw ValidationError("--from is \(from) and --to \(to.map { "\($0)" } ?? "open"), expected 0 < from < to")
    }
    guard (20...10_000).contains(steps) else {
      throw ValidationError("--steps is \(steps), expected 20 to 10000")
    }
  }

  func run() throws {
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load() }
      try communicator.agree(on: "the command line", "\(from) \(to ?? 0) \(steps)")
      let output = try communicator.collectively {
        try communicator.rank == 0
          ? plot.map { (path) throws(SaveError) in
            try OutputFile(
              path, of: .svg, option: "--plot",
              keeping: [("the configuration", source.config)] + configuration.dataPlaces)
          } : nil
      }
      let last = to ?? (configuration.optimizer.kind == .sgd ? 10 : 1)
      guard last > from else { throw ValidationError("--from is \(from), expected less than \(last)") }
      let report = try RateTest(
        configuration, RateTest.Options(first: from, last: last, steps: steps), communicator: communicator
      ).run()
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
      try communicator.collectively { try output?.write(Array(report.svg.utf8)) }
    }
  }
}
