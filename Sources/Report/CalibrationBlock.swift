import Evaluation
import Reporting
import Runtime

/// Whether the network knows how sure it may be.
struct CalibrationBlock {
  struct Bar {
    /// Places in the picture.
    let x, y, width, height: String
    let note: String
  }

  let run: String
  let intro: String?
  var missing: [String] = []
  var bars: [Bar] = []
  var hasBars = false
  var verdict: String?
  var charts: [Chart] = []
}

extension CalibrationBlock {
  init(_ run: ReportedRun) {
    self.init(
      run: run.directory,
      intro:
        "A network that is 80 % sure should be right in 80 % of such cases. Bars below the line: it is too sure. Bars above "
        + "it: it is not sure enough. The calibration error is the mean distance, weighted by how many images a bar has."
    )
    if let chart = Chart(
      "Calibration error", by: "epoch",
      [
        .init(name: "test", points: run.records.ofEpochs("test_ece")),
        .init(name: "validation", points: run.records.ofEpochs("validation_ece")),
      ], isFraction: true)
    {
      charts.append(chart)
    }
    guard let metrics = run.measurement?.metrics else {
      missing.append(run.missing ?? "")
      return
    }
    let bins = metrics.calibration
    let (side, left, bottom) = (200.0, 40.0, 210.0)
    bars = bins.enumerated().filter { $0.element.count > 0 }.map { index, bin in
      let width = side / Double(bins.count)
      return Bar(
        x: decimal(left + Double(index) * width + 0.5, places: 1), y: decimal(bottom - side * bin.accuracy, places: 1),
        width: decimal(width - 1, places: 1), height: decimal(side * bin.accuracy, places: 1),
        note: "\(counted(bin.count, "image")): \(percent(bin.confidence)) sure, \(percent(bin.accuracy)) right")
    }
    hasBars = !bars.isEmpty
    let (sure, right) = (
      bins.reduce(0) { $0 + $1.confidence * Double($1.count) } / Double(max(1, metrics.samples)), metrics.accuracy
    )
    verdict =
      "On average the network is \(percent(sure)) sure and \(percent(right)) right: "
      + (abs(sure - right) < 0.01 ? "well calibrated." : sure > right ? "too sure." : "not sure enough.")
      + " Calibration error \(percent(metrics.ece))."
  }
}
