import Files
import Foundation
import Reporting

/// The first metric of a comparison along the runs, for each point of the grid: by epoch, and by what training costs.
extension Comparison {
  package enum Along: String, CaseIterable, Sendable { case epoch, compute }

  /// SVG; empty where no run has the metric.
  package func plot(point: String, along: Along) -> String {
    let metric = metrics[0]
    let scale = Self.isFraction(metric) ? 100.0 : 1
    let series = variants.map { variant in
      let runs = runs.filter { $0.point == point && $0.variant == variant && $0.failure == nil }
      let computes = runs.map(\.compute)
      // Runs of a variant have as many epochs, but for those of other directories.
      let points: [LinePlot.Point] = (0..<(runs.map(\.epochs.count).min() ?? 0)).compactMap { epoch in
        let values = runs.compactMap { $0.epochs[epoch][metric] }
        guard let mean = Statistics.mean(values) else { return nil }
        let x = along == .epoch ? Double(epoch + 1) : Statistics.median(computes.map { $0[epoch] })!
        let spread = Statistics.standardDeviation(values) ?? 0
        return LinePlot.Point(x: x, y: mean * scale, spread: spread * scale)
      }
      return (name: variant, points: points)
    }
    let name = metric.replacing("_", with: " ")
    return LinePlot(
      title: point.isEmpty ? name : "\(name), \(point)",
      xLabel: along == .epoch ? "epochs" : "training, seconds of rank 0's processor",
      yLabel: Self.isFraction(metric) ? "\(name), %" : name, series: series.filter { !$0.points.isEmpty }
    ).svg
  }

  /// `plots/POINT-by-epoch.svg` and `-by-compute.svg` in `directory`.
  func writePlots(to directory: String) throws(SaveError) {
    for point in points {
      for along in Along.allCases {
        let svg = plot(point: point, along: along)
        let name = SweepReader.plain(point.isEmpty ? metrics[0] : point)
        if !svg.isEmpty { try StudyFile.write(svg, to: "\(directory)/plots/\(name)-by-\(along.rawValue).svg") }
      }
    }
  }
}
