import Foundation

/// The sums of an evaluation as one array of integers, so that they add up over ranks in any order to the same bits:
/// [confusion, classes x classes, row true, column predicted | loss | per bin: count, correct, confidence | not finite].
package struct EvaluationSums: Sendable {
  /// Equal-width bins of confidence, for the calibration error.
  static let bins = 15

  package let classes: Int
  package var values: [Int64]

  package init(classes: Int) {
    self.classes = classes
    values = Array(repeating: 0, count: classes * classes + 1 + 3 * Self.bins + 1)
  }

  private var lossIndex: Int { classes * classes }
  private func binIndex(_ bin: Int) -> Int { lossIndex + 1 + 3 * bin }
  private var notFiniteIndex: Int { binIndex(Self.bins) }

  /// Adds samples with logits (count, classes). One whose logits are not finite counts as predicted wrong, without a loss.
  package mutating func add(logits: UnsafePointer<Float>, labels: [Int32], count: Int) {
    for sample in 0..<count {
      let row = UnsafeBufferPointer(start: logits + sample * classes, count: classes)
      let label = Int(labels[sample])
      guard row.allSatisfy(\.isFinite) else {
        values[notFiniteIndex] += 1
        values[label * classes + (label + 1) % classes] += 1
        continue
      }
      let predicted = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
      let sum = row.reduce(0.0) { $0 + exp(Double($1) - Double(row[predicted])) }
      let confidence = 1 / sum
      values[label * classes + predicted] += 1
      let loss = log(sum) + Double(row[predicted]) - Double(row[label])
      // Beyond 2^18 a loss says no more than "wrong"; capped, it cannot overflow the sum.
      _ = FixedPoint.add(min(loss, Double(FixedPoint.largest)), share: 0x1p-20, to: &values[lossIndex])
      // Bins (k / 15, (k + 1) / 15], as Guo et al. 2017 cut them.
      let bin = min(max(Int((confidence * Double(Self.bins)).rounded(.up)) - 1, 0), Self.bins - 1)
      values[binIndex(bin)] += 1
      values[binIndex(bin) + 1] += predicted == label ? 1 : 0
      _ = FixedPoint.add(confidence, share: 0x1p-20, to: &values[binIndex(bin) + 2])
    }
  }

  var confusion: [[Int]] {
    (0..<classes).map { row in values[row * classes..<(row + 1) * classes].map { Int($0) } }
  }
  /// The share of 2^-20 keeps a sum over 2^20 samples of the largest loss within range.
  var lossSum: Double { FixedPoint.decode(values[lossIndex]) * 0x1p20 }
  var notFinite: Int { Int(values[notFiniteIndex]) }
  /// Per bin: samples, correct ones, sum of confidences.
  var calibration: [(count: Int, correct: Int, confidence: Double)] {
    (0..<Self.bins).map { bin in
      let start = binIndex(bin)
      return (Int(values[start]), Int(values[start + 1]), FixedPoint.decode(values[start + 2]) * 0x1p20)
    }
  }
}

/// What a classifier is worth on a data set. Accuracy, precision, recall and F1 are fractions 0...1; the macro means are
/// over the classes that occur as truth or prediction, and a ratio of nothing counts as zero, both as scikit-learn does.
package struct ClassificationMetrics: Sendable {
  package struct ClassScores: Sendable {
    package var label: Int
    /// Samples of this class.
    package var support: Int
    package var precision: Double
    package var recall: Double
    package var f1: Double
  }

  package let samples: Int
  package let accuracy: Double
  /// Mean cross entropy; not finite if any logit was not.
  package let loss: Double
  package let precision: Double
  package let recall: Double
  package let f1: Double
  /// Expected calibration error over 15 equal-width bins of confidence.
  package let ece: Double
  package let perClass: [ClassScores]
  /// confusion[truth][prediction]
  package let confusion: [[Int]]

  package init(_ sums: EvaluationSums) {
    let confusion = sums.confusion
    self.confusion = confusion
    samples = confusion.reduce(0) { $0 + $1.reduce(0, +) }
    func ratio(_ part: Int, _ whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
    perClass = confusion.indices.map { label in
      let hits = confusion[label][label]
      let support = confusion[label].reduce(0, +)
      let predicted = confusion.reduce(0) { $0 + $1[label] }
      return ClassScores(
        label: label, support: support, precision: ratio(hits, predicted), recall: ratio(hits, support),
        f1: ratio(2 * hits, support + predicted))
    }
    let present = perClass.filter { scores in
      scores.support > 0 || confusion.contains { $0[scores.label] > 0 }
    }
    func macro(_ value: (ClassScores) -> Double) -> Double {
      present.isEmpty ? 0 : present.reduce(0) { $0 + value($1) } / Double(present.count)
    }
    precision = macro(\.precision)
    recall = macro(\.recall)
    f1 = macro(\.f1)
    accuracy = ratio(confusion.indices.reduce(0) { $0 + confusion[$1][$1] }, samples)
    loss = sums.notFinite > 0 ? .nan : sums.lossSum / Double(max(samples, 1))
    ece =
      sums.calibration.reduce(0) { $0 + abs(Double($1.correct) - $1.confidence) } / Double(max(samples, 1))
  }
}
