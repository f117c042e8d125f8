import ArgumentParser
import Files
import Scaling

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
