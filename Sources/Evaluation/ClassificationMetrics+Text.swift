import Files
import Formats
import Foundation
import Reporting

extension ClassificationMetrics {
  /// More classes than these have no line each, and no full table of confusions.
  package static let mostLines = 100
  /// How many lines stand for them.
  private static let chosenLines = 20

  /// For people: the figures, then a line a class; of many classes, of the worst and of the most frequent confusions.
  package var text: String {
    let hasMany = perClass.count > Self.mostLines
    var parts = [figures.map { "\($0.name): \($0.value)" }.joined(separator: "\n"), ""]
    if hasMany {
      parts.append("the \(Self.chosenLines) of \(perClass.count) classes with the lowest F1 (--json has all)")
    }
    parts.append(classTable(hasMany ? worstClasses : Array(perClass.indices)))
    if hasMany { parts += ["", confusionTable] }
    return parts.joined(separator: "\n")
  }

  private var figures: [(name: String, value: String)] {
    var figures: [(name: String, value: String)] = []
    func add(_ name: String, _ value: String) { figures.append((name, value)) }
    add("samples", "\(samples)")
    add("accuracy", percent(accuracy))
    add("balanced accuracy", percent(balancedAccuracy))
    if let topFiveAccuracy { add("top-5 accuracy", percent(topFiveAccuracy)) }
    add("loss", decimal(loss, places: 4))
    add("precision", percent(precision))
    add("recall", percent(recall))
    add("F1", percent(f1))
    add("calibration error", percent(ece))
    return figures
  }

  private func classTable(_ labels: [Int]) -> String {
    let rows = labels.map { label in
      let scores = perClass[label]
      return ["\(label)", "\(scores.support)", percent(scores.precision), percent(scores.recall), percent(scores.f1)]
        + (classNames.map { [name(label, $0)] } ?? [])
    }
    return Table.text(
      header: ["class", "samples", "precision", "recall", "F1"] + (classNames == nil ? [] : ["name"]), rows: rows,
      alignments: [.right, .right, .right, .right, .right])
  }

  /// Of those that occur in truth, in the order of their labels where figures are equal.
  private var worstClasses: [Int] {
    let occurring = perClass.indices.filter { perClass[$0].support > 0 }
    return Array(occurring.sorted { (perClass[$0].f1, $0) < (perClass[$1].f1, $1) }.prefix(Self.chosenLines))
  }

  /// Which classes are most often taken for which.
  private var confusionTable: String {
    let wrong = confusionEntries.filter { $0.label != $0.predicted }
      .sorted { ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted) }
    let rows = wrong.prefix(Self.chosenLines).map { entry in
      ["\(entry.label)", "\(entry.predicted)", "\(entry.count)"]
        + (classNames.map { [name(entry.label, $0), name(entry.predicted, $0)] } ?? [])
    }
    return "the most frequent confusions\n"
      + Table.text(
        header: ["class", "taken for", "samples"] + (classNames == nil ? [] : ["name", "name"]), rows: rows,
        alignments: [.right, .right, .right])
  }

  /// What of `confusion` is not 0, row by row.
  private var confusionEntries: [(label: Int, predicted: Int, count: Int)] {
    confusion.enumerated().flatMap { label, row in
      row.enumerated().filter { $0.element > 0 }.map { (label: label, predicted: $0.offset, count: $0.element) }
    }
  }

  /// A model may have more outputs than the data has classes.
  private func name(_ label: Int, _ names: [String]) -> String { label < names.count ? quoted(names[label]) : "" }

  /// For scripts: one JSON object with the keys accuracy balanced_accuracy loss precision recall f1 ece per_class
  /// confusion and, where classes have names, class_names; from 20 classes on top5_accuracy. Above 100 classes
  /// confusion_entries, of which each is [class, predicted, samples], stands for confusion.
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
      var balancedAccuracy: Double
      var topFiveAccuracy: Double?
      var loss: Double?
      var precision: Double
      var recall: Double
      var f1: Double
      var ece: Double?
      var perClass: [Line]
      var confusion: [[Int]]?
      var confusionEntries: [[Int]]?
      var classNames: [String]?

      enum CodingKeys: String, CodingKey {
        case accuracy, loss, precision, recall, f1, ece, confusion
        case balancedAccuracy = "balanced_accuracy"
        case topFiveAccuracy = "top5_accuracy"
        case perClass = "per_class"
        case confusionEntries = "confusion_entries"
        case classNames = "class_names"
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accuracy, forKey: .accuracy)
        try container.encode(balancedAccuracy, forKey: .balancedAccuracy)
        try container.encodeIfPresent(topFiveAccuracy, forKey: .topFiveAccuracy)
        // A missing key and a null are not the same to a script: JSON has no infinity, so null it is.
        try container.encode(loss, forKey: .loss)
        try container.encode(precision, forKey: .precision)
        try container.encode(recall, forKey: .recall)
        try container.encode(f1, forKey: .f1)
        try container.encode(ece, forKey: .ece)
        try container.encode(perClass, forKey: .perClass)
        try container.encodeIfPresent(confusion, forKey: .confusion)
        try container.encodeIfPresent(confusionEntries, forKey: .confusionEntries)
        try container.encodeIfPresent(classNames, forKey: .classNames)
      }
    }
    let hasMany = perClass.count > Self.mostLines
    let report = Report(
      accuracy: accuracy, balancedAccuracy: balancedAccuracy, topFiveAccuracy: topFiveAccuracy,
      loss: loss.isFinite ? loss : nil, precision: precision, recall: recall, f1: f1,
      ece: ece.isFinite ? ece : nil,
      perClass: perClass.enumerated().map { label, scores in
        Line(
          label: label, name: classNames.flatMap { label < $0.count ? $0[label] : nil }, support: scores.support,
          precision: scores.precision, recall: scores.recall, f1: scores.f1)
      }, confusion: hasMany ? nil : confusion,
      confusionEntries: hasMany ? confusionEntries.map { [$0.label, $0.predicted, $0.count] } : nil,
      classNames: classNames)
    return JSONText.of(report)
  }
}
