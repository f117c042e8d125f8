import Evaluation
import Foundation
import Reporting
import Runtime

/// Which classes are taken for which, and the images that were the most wrong.
struct ConfusionBlock {
  struct Cell {
    let count: String
    /// Of its row, from 0 to 1: the colour's strength.
    let share: String
    let isStrong, isDiagonal: Bool
    let note: String
  }

  struct Row {
    let name: String
    let cells: [Cell]
  }

  struct Wrong {
    let picture: String?
    let label, says, confidence, loss, origin: String
  }

  let run: String
  let intro: String?
  var missing: [String] = []
  var hasMatrix = false
  var hasWrong = false
  /// Empty with more classes than a table shows.
  var names: [String] = []
  var rows: [Row] = []
  var tables: [PageTable] = []
  var wrong: [Wrong] = []
}

extension ConfusionBlock {
  private static let mostClasses = 30
  private static let mostPairs = 15
  private static let mostRows = 1000

  init(_ run: ReportedRun, bytes: Int) throws {
    self.init(run: run.directory, intro: run.measuredOf)
    guard let images = run.images, let measurement = run.measurement else {
      missing.append(run.missing ?? "")
      return
    }
    let metrics = measurement.metrics
    if metrics.confusion.count <= Self.mostClasses {
      names = metrics.confusion.indices.map(run.name)
      rows = metrics.confusion.enumerated().map { Self.row($0, $1, run) }
      hasMatrix = true
    } else {
      missing.append(
        "\(metrics.confusion.count) classes are too many for a table of all pairs: the most frequent mistakes are below."
      )
    }
    tables = [Self.figures(metrics)] + [Self.pairs(metrics, run)].compactMap(\.self) + [Self.classes(metrics, run)]
    wrong = try Self.mostWrong(measurement.predictions, run, images, bytes: bytes)
    hasWrong = !wrong.isEmpty
    if wrong.isEmpty { missing.append("No image that was measured is classified wrong.") }
  }

  private static func row(_ label: Int, _ counts: [Int], _ run: ReportedRun) -> Row {
    let sum = max(1, counts.reduce(0, +))
    return Row(
      name: run.name(label),
      cells: counts.enumerated().map { predicted, count in
        let share = Double(count) / Double(sum)
        return Cell(
          count: count == 0 ? "" : "\(count)", share: decimal(share, places: 3), isStrong: share > 0.55,
          isDiagonal: label == predicted,
          note: "\(count) of \(run.name(label)) taken for \(run.name(predicted)), \(percent(share))")
      })
  }

  private static func figures(_ metrics: ClassificationMetrics) -> PageTable {
    PageTable(
      "Figures", header: ["", "value"],
      rows: [
        ("samples", Double(metrics.samples), false), ("accuracy", metrics.accuracy, true),
        ("loss", metrics.loss, false),
        ("precision", metrics.precision, true), ("recall", metrics.recall, true), ("F1", metrics.f1, true),
        ("calibration error", metrics.ece, true),
      ].map { name, value, isFraction in
        [
          PageTable.Cell(name),
          name == "samples"
            ? PageTable.Cell("\(metrics.samples)", exact: value) : PageTable.Cell(value, isFraction: isFraction),
        ]
      })
  }

  /// The most frequent mistakes; nil where there is none.
  private static func pairs(_ metrics: ClassificationMetrics, _ run: ReportedRun) -> PageTable? {
    var pairs: [(label: Int, predicted: Int, count: Int)] = []
    for (label, counts) in metrics.confusion.enumerated() {
      for (predicted, count) in counts.enumerated() where predicted != label && count > 0 {
        pairs.append((label, predicted, count))
      }
    }
    guard !pairs.isEmpty else { return nil }
    pairs.sort { ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted) }
    return PageTable(
      "Most confused", header: ["class", "taken for", "images", "of the class"],
      rows: pairs.prefix(mostPairs).map { pair in
        let share = Double(pair.count) / Double(max(1, metrics.perClass[pair.label].support))
        return [
          PageTable.Cell(run.name(pair.label)), PageTable.Cell(run.name(pair.predicted)),
          PageTable.Cell("\(pair.count)", exact: Double(pair.count)), PageTable.Cell(share, isFraction: true),
        ]
      })
  }

  /// The classes that are recognised the least come first.
  private static func classes(_ metrics: ClassificationMetrics, _ run: ReportedRun) -> PageTable {
    let present = metrics.perClass.enumerated().filter { $0.element.isPresent }
    let rows = present.sorted { ($0.element.recall, $0.offset) < ($1.element.recall, $1.offset) }.prefix(mostRows)
    return PageTable(
      "By class, the worst first", header: ["class", "samples", "recall", "precision", "F1"],
      rows: rows.map { label, scores in
        [
          PageTable.Cell(run.name(label)), PageTable.Cell("\(scores.support)", exact: Double(scores.support)),
          PageTable.Cell(scores.recall, isFraction: true), PageTable.Cell(scores.precision, isFraction: true),
          PageTable.Cell(scores.f1, isFraction: true),
        ]
      }, isFolded: present.count > mostClasses)
  }

  /// By their loss.
  private static func mostWrong(
    _ predictions: [TestImages.Prediction], _ run: ReportedRun, _ images: TestImages, bytes: Int
  ) throws -> [Wrong] {
    let worst = predictions.filter { !$0.isRight && $0.loss.isFinite }.sorted { $0.loss > $1.loss }
      .prefix(PictureBlock.count)
    // Base64 of three bytes a pixel, which noise does not let shrink.
    let side = Int((Double(bytes) / Double(max(1, worst.count) * 4)).squareRoot())
    return try worst.map { prediction in
      let picture = images.normalization.picture(of: try images.image(prediction.index), shape: images.shape)
      return Wrong(
        picture: picture.map { PictureData.uri($0.within(max(16, side))) } ?? nil,
        label: run.name(prediction.label), says: prediction.predicted.map(run.name) ?? "nothing",
        confidence: PictureBlock.percentage(prediction.confidence), loss: decimal(prediction.loss, places: 3),
        origin: images.origin(of: prediction.index))
    }
  }
}
