import Files
import Formats
import Foundation
import Reporting

extension ClassificationMetrics {
  /// For people: the figures, then a line a class.
  package var text: String {
    let figures = [
      ("samples", "\(samples)"), ("accuracy", percent(accuracy)), ("loss", decimal(loss, places: 4)),
      ("precision", percent(precision)), ("recall", percent(recall)), ("F1", percent(f1)),
      ("calibration error", percent(ece)),
    ]
    let rows = perClass.enumerated().map { label, scores in
      ["\(label)", "\(scores.support)", percent(scores.precision), percent(scores.recall), percent(scores.f1)]
        + (classNames.map { [name(label, $0)] } ?? [])
    }
    return figures.map { "\($0.0): \($0.1)" }.joined(separator: "\n") + "\n\n"
      + Table.text(
        header: ["class", "samples", "precision", "recall", "F1"] + (classNames == nil ? [] : ["name"]), rows: rows,
        alignments: [.right, .right, .right, .right, .right])
  }

  /// A model may have more outputs than the data has classes.
  private func name(_ label: Int, _ names: [String]) -> String { label < names.count ? quoted(names[label]) : "" }

  /// For scripts: one JSON object with the keys accuracy loss precision recall f1 ece per_class confusion
  /// and, where classes have names, class_names.
  package var json: String {
    struct Line: Encodable {
      var label: Int
      var name: String?
      var support: Int
      var precision: Double
      var recall: Double
      var f1: Double
    }
    struct Report: Encodable {
      var accuracy: Double
      var loss: Double?
      var precision: Double
      var recall: Double
      var f1: Double
      var ece: Double?
      var perClass: [Line]
      var confusion: [[Int]]
      var classNames: [String]?

      enum CodingKeys: String, CodingKey {
        case accuracy, loss, precision, recall, f1, ece, confusion
        case perClass = "per_class"
        case classNames = "class_names"
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accuracy, forKey: .accuracy)
        // A missing key and a null are not the same to a script: JSON has no infinity, so null it is.
        try container.encode(loss, forKey: .loss)
        try container.encode(precision, forKey: .precision)
        try container.encode(recall, forKey: .recall)
        try container.encode(f1, forKey: .f1)
        try container.encode(ece, forKey: .ece)
        try container.encode(perClass, forKey: .perClass)
        try container.encode(confusion, forKey: .confusion)
        try container.encodeIfPresent(classNames, forKey: .classNames)
      }
    }
    let report = Report(
      accuracy: accuracy, loss: loss.isFinite ? loss : nil, precision: precision, recall: recall, f1: f1,
      ece: ece.isFinite ? ece : nil,
      perClass: perClass.enumerated().map { label, scores in
        Line(
          label: label, name: classNames.flatMap { label < $0.count ? $0[label] : nil }, support: scores.support,
          precision: scores.precision, recall: scores.recall, f1: scores.f1)
      }, confusion: confusion, classNames: classNames)
    return JSONText.of(report)
  }
}
