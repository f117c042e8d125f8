import Files
import Foundation
import Reporting
import Runtime

/// The report of one folder: Markdown for people, CSV and JSON lines for programs, plots, and Extra-P's text.
package struct ScalingReport: Sendable {
  /// How far the model is asked, and over what.
  package struct Options: Sendable {
    package var mostRanks: Int
    /// Of each host beyond what was measured; nil: as the largest count has it.
    package var ranksOnHost: Int?
    /// Networks in the place of the one that was measured.
    package var links: [ScalingForecast.Link]

    package init(mostRanks: Int = 4096, ranksOnHost: Int? = nil, links: [ScalingForecast.Link] = []) {
      self.mostRanks = mostRanks
      self.ranksOnHost = ranksOnHost
      self.links = links
    }
  }

  /// What the model says of a series, over one network.
  package struct Outlook: Sendable {
    package let series: ScalingSeries
    /// Nil: the one that was measured.
    package let link: ScalingForecast.Link?
    package let predictions: [ScalingForecast.Prediction]
  }

  package let measurements: ScalingMeasurements
  package let forecasts: [ScalingForecast]
  package let outlooks: [Outlook]

  package init(_ measurements: ScalingMeasurements, _ options: Options = Options()) {
    self.measurements = measurements
    let forecasts = [measurements.weak, measurements.strong].compactMap { ScalingForecast($0) }
    self.forecasts = forecasts
    outlooks = forecasts.flatMap { forecast in
      ([nil] + options.links.map { Optional($0) }).map { link in
        Outlook(
          series: forecast.series, link: link,
          predictions: forecast.predictions(upTo: options.mostRanks, link: link, ranksOnHost: options.ranksOnHost))
      }
    }
  }

  package static let series: [ScalingSeries] = [.weak, .strong]

  /// All files of the report, into a folder.
  package func write(to folder: ScalingFolder) throws(SaveError) {
    try folder.check(option: "--output")
    var files = [
      "report.md": markdown, "points.csv": csv, "summary.jsonl": jsonLines, "extra-p.txt": extraP,
      "breakdown.svg": breakdownPlot,
    ]
    for series in Self.series { files["\(series.rawValue).svg"] = plot(of: series) }
    if let phases = EmulatedPhases(measurements.points) { files["phases.json"] = phases.text }
    for (name, text) in files.sorted(by: { $0.key < $1.key }) where !text.isEmpty {
      try ScalingFolder.write(text, to: "\(folder.path)/\(name)")
    }
  }

  /// Text as Extra-P reads it (https://github.com/extra-p/extrap, "Text input"): a metric a block, a line a count, its
  /// repetitions in seconds.
  package var extraP: String {
    var text = ""
    for series in Self.series {
      let counts = measurements.counts(series)
      guard !counts.isEmpty else { continue }
      if text.isEmpty {
        text = "PARAMETER ranks\nPOINTS \(counts.map { "\($0.ranks)" }.joined(separator: " "))\n"
      } else if counts.map(\.ranks) != measurements.counts(.weak).map(\.ranks) {
        continue
      }
      text += "\nREGION \(series.rawValue)\n"
      let metrics: [(String, (StepBreakdown) -> Double)] = [
        ("step", \.step), ("computing", \.computing), ("imbalance", \.imbalance), ("exposed", \.exposed),
      ]
      for (name, value) in metrics {
        text += "METRIC \(name)\n"
        for count in counts {
          let values = count.rounds.compactMap { StepBreakdown($0.steps(overlap: true)).map(value) }
          text += "DATA \(values.map { "\($0)" }.joined(separator: " "))\n"
        }
      }
    }
    return text
  }
}
