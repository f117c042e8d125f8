import Foundation
import Reporting
import Runtime

/// How a finished model does on images that are not as those it was trained on. Accuracies are fractions of 0...1.
package struct RobustnessReport: Equatable, Sendable {
  /// A corruption's accuracy at severity 1, 2, ... 5.
  package struct Row: Equatable, Sendable {
    package var name: String
    package var accuracies: [Double]

    package init(name: String, accuracies: [Double]) { (self.name, self.accuracies) = (name, accuracies) }
  }

  /// On the first samples of the test set.
  package struct AttackScores: Equatable, Sendable {
    package var samples: Int
    /// Without an attack, on these samples.
    package var accuracy: Double
    package var fgsm, pgd: Double

    package init(samples: Int, accuracy: Double, fgsm: Double, pgd: Double) {
      self.samples = samples
      self.accuracy = accuracy
      self.fgsm = fgsm
      self.pgd = pgd
    }

    /// What makes these figures worthless, where it shows: many small steps find less than a large one.
    package var warning: String? {
      guard pgd > fgsm else { return nil }
      return
        "PGD leaves more accuracy (\(percent(pgd))) than FGSM (\(percent(fgsm))): the gradients are masked, and neither "
        + "figure says how robust the model is"
    }
  }

  package var samples: Int
  /// On the test set as it is.
  package var accuracy: Double
  /// Made by the program.
  package var corruptions: [Row] = []
  /// From the files of CIFAR-C.
  package var cifarC: [Row] = []
  package var attacks: AttackScores?

  package init(samples: Int, accuracy: Double) { (self.samples, self.accuracy) = (samples, accuracy) }

  /// Over all rows and severities, each counting the same.
  static func mean(_ rows: [Row]) -> Double {
    let all = rows.flatMap(\.accuracies)
    return all.reduce(0, +) / Double(all.count)
  }

  /// Of the record `final`, and of `--json`.
  package var values: NamedValues {
    var values: NamedValues = ["samples": .integer(samples), "accuracy": .number(accuracy)]
    for (prefix, rows) in [("corruption", corruptions), ("cifar_c", cifarC)] where !rows.isEmpty {
      values += NamedValues(rows.map { ("\(prefix)_\($0.name)", .list($0.accuracies)) })
      values += ["\(prefix)_accuracy": .number(Self.mean(rows))]
    }
    if let attacks {
      values += [
        "attack_samples": .integer(attacks.samples), "attack_clean_accuracy": .number(attacks.accuracy),
        "fgsm_accuracy": .number(attacks.fgsm), "pgd_accuracy": .number(attacks.pgd),
      ]
    }
    return values
  }

  package var json: String { values.json }

  /// For people.
  package var text: String {
    var parts = ["samples: \(samples)\naccuracy: \(percent(accuracy))"]
    for (title, rows) in [("corruption", corruptions), ("CIFAR-C", cifarC)] where !rows.isEmpty {
      let severities = rows[0].accuracies.indices.map { "severity \($0 + 1)" }
      parts.append(
        Table.text(
          header: [title] + severities + ["mean"],
          rows: rows.map { [$0.name] + $0.accuracies.map(percent) + [percent(Self.mean([$0]))] }
            + [
              ["mean"]
                + severities.indices.map { index in
                  percent(rows.reduce(0) { $0 + $1.accuracies[index] } / Double(rows.count))
                } + [percent(Self.mean(rows))]
            ],
          alignments: [.left] + Array(repeating: .right, count: severities.count + 1)))
    }
    if let attacks {
      parts.append(
        Table.text(
          header: ["attack (first \(counted(attacks.samples, "sample")))", "accuracy"],
          rows: [
            ["none", percent(attacks.accuracy)], ["FGSM, 8/255", percent(attacks.fgsm)],
            ["PGD-20, 8/255", percent(attacks.pgd)],
          ], alignments: [.left, .right]))
    }
    return parts.joined(separator: "\n\n")
  }
}
