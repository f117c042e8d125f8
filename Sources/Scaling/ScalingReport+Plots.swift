import Foundation
import Reporting

/// The report's pictures. Counts are doublings, so that two ranks and two thousand fit on one.
extension ScalingReport {
  /// Parallel efficiency, measured and predicted; empty where a series was not measured.
  package func plot(of series: ScalingSeries) -> String {
    let counts = measurements.counts(series)
    guard !counts.isEmpty else { return "" }
    var lines: [(name: String, points: [LinePlot.Point])] = [
      (
        "measured",
        counts.map { count in
          let relative = (count.interval.upperBound - count.interval.lowerBound) / 2 / count.time
          let efficiency = measurements.parallelEfficiency(count) * 100
          return LinePlot.Point(x: log2(Double(count.ranks)), y: efficiency, spread: efficiency * relative)
        }
      )
    ]
    if series == .strong {
      lines.append(
        (
          "whole shards allow",
          counts.map {
            LinePlot.Point(
              x: log2(Double($0.ranks)),
              y: ShardEfficiency.quantisation(shards: $0.record.shards, ranks: $0.ranks) * 100, spread: 0)
          }
        ))
    }
    for outlook in outlooks where outlook.series == series && !outlook.predictions.isEmpty {
      lines.append(
        (
          outlook.link.map { "predicted, \($0.name)" } ?? "predicted",
          outlook.predictions.map {
            let interval = $0.efficiencyInterval
            return LinePlot.Point(
              x: log2(Double($0.ranks)), y: $0.efficiency * 100,
              spread: (min(1, interval.upperBound) - interval.lowerBound) / 2 * 100)
          }
        ))
    }
    return LinePlot(
      title: Self.title(series), xLabel: "doublings of ranks: 0 is 1, 1 is 2, 5 is 32, 10 is 1024",
      yLabel: "parallel efficiency, %", series: lines
    ).svg
  }

  /// Of the weak series, or the strong one where that alone was measured: where a step's time goes.
  package var breakdownPlot: String {
    let counts = measurements.weak.isEmpty ? measurements.strong : measurements.weak
    guard !counts.isEmpty else { return "" }
    let parts: [(String, (CountSummary) -> Double)] = [
      ("step", \.breakdown.step), ("computing", \.breakdown.computing), ("imbalance", \.breakdown.imbalance),
      ("exposed sums", \.breakdown.exposed), ("hidden sums", { $0.hidden ?? 0 }), ("data", \.breakdown.data),
      ("optimiser", \.breakdown.after),
    ]
    return LinePlot(
      title: "Where a step's time goes", xLabel: "doublings of ranks", yLabel: "milliseconds",
      series: parts.map { name, value in
        (
          name: name,
          points: counts.map { LinePlot.Point(x: log2(Double($0.ranks)), y: value($0) * 1e3, spread: 0) }
        )
      }
    ).svg
  }
}
