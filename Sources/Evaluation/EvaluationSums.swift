import Foundation

/// Everything that an evaluation sums up, as one flat array of integers: counts, and losses and confidences
/// in units of 2^-30. Sums of integers do not depend on their order, so neither do the metrics on the number
/// of ranks.
package struct EvaluationSums: Equatable, Sendable {
  /// Bins of equal width that confidences fall into.
  package static let binCount = 15
  /// A sample's loss counts for no more (two million samples of it stay in range): beyond it the mean says
  /// only that the network has diverged.
  package static let largestLoss = 4096.0
  private static let scale = 0x1p30

  package let classes: Int
  /// [confusion, classes x (classes + 1) | loss | samples of each bin | correct of each bin | confidence of each bin |
  /// wrong labels, of them predicted as the label given, as the true one | label among the five largest | loss above
  /// the largest]. The
  /// confusion's row is the true class, its column the predicted one; the last column holds samples without a
  /// prediction, some logit being not finite, which count as wrong.
  package var values: [Int64]

  package init(classes: Int) {
    self.classes = classes
    values = Array(repeating: 0, count: Self.count(classes: classes))
  }

  private static func count(classes: Int) -> Int { classes * (classes + 1) + 1 + 3 * binCount + 5 }

  /// Bytes of one.
  static func bytes(classes: Int) -> Double { 8 * Double(count(classes: classes)) }

  /// Adds `count` samples: `logits` (count, classes), `labels` in 0..<classes. The prediction is the first of
  /// the largest logits; the softmax is computed in double precision. `trueLabels` where some labels may be wrong.
  package mutating func add(
    logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, trueLabels: UnsafePointer<Int32>? = nil, count: Int
  ) {
    for sample in 0..<count {
      let row = UnsafeBufferPointer(start: logits + sample * classes, count: classes)
      let label = Int(labels[sample])
      precondition(row.indices.contains(label), "label \(label) of \(classes) classes")
      let truth = trueLabels.map { Int($0[sample]) } ?? label
      if truth != label { values[wrongIndex] += 1 }
      guard row.allSatisfy(\.isFinite) else {
        values[confusionIndex(label, classes)] += 1
        continue
      }
      let predicted = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
      let largest = Double(row[predicted])
      // The largest probability is 1 / sum, since its own exponential is 1.
      let sum = row.reduce(0.0) { $0 + exp(Double($1) - largest) }
      let loss = log(sum) - (Double(row[label]) - largest)
      values[confusionIndex(label, predicted)] += 1
      // Of equal logits the first counts as larger, as in the prediction.
      let larger = row.indices.count { row[$0] > row[label] || row[$0] == row[label] && $0 < label }
      values[topFiveIndex] += larger < 5 ? 1 : 0
      if truth != label {
        values[wrongIndex + 1] += predicted == label ? 1 : 0
        values[wrongIndex + 2] += predicted == truth ? 1 : 0
      }
      values[lossIndex] += Self.fixed(min(loss, Self.largestLoss))
      values[topFiveIndex + 1] += loss > Self.largestLoss ? 1 : 0
      let bin = Self.bin(ofConfidence: 1 / sum)
      values[binIndex(0, bin)] += 1
      values[binIndex(1, bin)] += predicted == label ? 1 : 0
      values[binIndex(2, bin)] += Self.fixed(1 / sum)
    }
  }

  /// Bins are open at their lower bound and closed at the upper one (Guo et al. 2017): (0, 1/15], (1/15,
  /// 2/15], ...
  static func bin(ofConfidence confidence: Double) -> Int {
    min(max(Int((confidence * Double(binCount)).rounded(.up)) - 1, 0), binCount - 1)
  }

  func confusion(_ label: Int, _ predicted: Int) -> Int { Int(values[confusionIndex(label, predicted)]) }
  var loss: Double { Double(values[lossIndex]) / Self.scale }
  func bin(_ index: Int) -> (count: Int, correct: Int, confidence: Double) {
    let confidence = Double(values[binIndex(2, index)]) / Self.scale
    return (Int(values[binIndex(0, index)]), Int(values[binIndex(1, index)]), confidence)
  }

  var wrongLabels: (count: Int, asGiven: Int, asTrue: Int) {
    (Int(values[wrongIndex]), Int(values[wrongIndex + 1]), Int(values[wrongIndex + 2]))
  }

  /// Samples whose label is among the five largest logits.
  var topFive: Int { Int(values[topFiveIndex]) }

  /// Samples whose loss counts for less than it is.
  var cappedLosses: Int { Int(values[topFiveIndex + 1]) }

  private func confusionIndex(_ label: Int, _ predicted: Int) -> Int { label * (classes + 1) + predicted }
  private var lossIndex: Int { classes * (classes + 1) }
  private func binIndex(_ array: Int, _ bin: Int) -> Int { lossIndex + 1 + array * Self.binCount + bin }
  private var wrongIndex: Int { binIndex(3, 0) }
  private var topFiveIndex: Int { wrongIndex + 3 }
  private static func fixed(_ value: Double) -> Int64 { Int64((value * scale).rounded(.toNearestOrEven)) }
}
