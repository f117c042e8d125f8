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
  /// wrong labels, of them predicted as the label given, as the true one]. The confusion's row is the true class, its
  /// column the predicted one; the last column holds samples without a prediction, some logit being not finite, which
  /// count as wrong.
  package var values: [Int64]

  package init(classes: Int) {
    self.classes = classes
    values = Array(repeating: 0, count: classes * (classes + 1) + 1 + 3 * Self.binCount + 3)
  }

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
      if truth != label {
        values[wrongIndex + 1] += predicted == label ? 1 : 0
        values[wrongIndex + 2] += predicted == truth ? 1 : 0
      }
      values[lossIndex] += Self.fixed(min(loss, Self.largestLoss))
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

  private func confusionIndex(_ label: Int, _ predicted: Int) -> Int { label * (classes + 1) + predicted }
  private var lossIndex: Int { classes * (classes + 1) }
  private func binIndex(_ array: Int, _ bin: Int) -> Int { lossIndex + 1 + array * Self.binCount + bin }
  private var wrongIndex: Int { binIndex(3, 0) }
  private static func fixed(_ value: Double) -> Int64 { Int64((value * scale).rounded(.toNearestOrEven)) }
}

/// How well a network classifies a data set. Fractions are 0...1; a mean over nothing is NaN.
package struct ClassificationMetrics: Equatable, Sendable {
  /// One class; a quotient with a denominator of zero is 0 (scikit-learn's `zero_division=0`).
  package struct ClassScores: Equatable, Sendable {
    /// Samples of this class, and samples predicted to be.
    package let support, predicted: Int
    package let precision, recall, f1: Double

    /// Whether the class occurs, in truth or prediction.
    package var isPresent: Bool { support + predicted > 0 }
  }

  /// The samples whose confidence (largest probability) lies in one of the bins.
  package struct CalibrationBin: Equatable, Sendable {
    package let count: Int
    package let accuracy, confidence: Double
  }

  package let samples: Int
  /// Samples with a logit that is not finite. They count as wrong; with any, loss and calibration are NaN.
  package let nonFinite: Int
  package let accuracy: Double
  /// Mean cross entropy: the negative log likelihood per sample, in nats.
  package let loss: Double
  /// Means over the classes that occur in truth or prediction, as scikit-learn's `average="macro"`: a class
  /// that occurs in neither says nothing about the network.
  package let precision, recall, f1: Double
  /// Expected calibration error: sum over bins of |accuracy - confidence|, weighted by the bins' share of the
  /// samples.
  package let ece: Double
  /// Shares of three groups of samples, against the labels given; nil where a group is empty.
  package struct LabelScores: Equatable, Sendable {
    /// Of the samples with a right label, those predicted so.
    package let right: Double?
    /// Of the samples with a wrong label, those predicted as that label: memorised.
    package let wrong: Double?
    /// Of the same, those predicted as their true label: the noise resisted.
    package let truth: Double?
  }

  package let labelScores: LabelScores
  package let perClass: [ClassScores]
  /// Of `perClass`, where the data has names.
  package var classNames: [String]?
  package let calibration: [CalibrationBin]
  /// Row: true class; column: predicted class. Samples without a prediction are missing here.
  package let confusion: [[Int]]

  package init(_ sums: EvaluationSums) {
    let classes = 0..<sums.classes
    confusion = classes.map { label in classes.map { sums.confusion(label, $0) } }
    nonFinite = classes.reduce(0) { $0 + sums.confusion($1, sums.classes) }
    let confusion = self.confusion
    perClass = classes.map { index in
      ClassScores(
        correct: confusion[index][index],
        support: confusion[index].reduce(0, +) + sums.confusion(index, sums.classes),
        predicted: confusion.reduce(0) { $0 + $1[index] })
    }
    samples = perClass.reduce(0) { $0 + $1.support }
    accuracy = Double(classes.reduce(0) { $0 + confusion[$1][$1] }) / Double(samples)
    loss = nonFinite > 0 ? .nan : sums.loss / Double(samples)

    let wrong = sums.wrongLabels
    func share(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
    labelScores = LabelScores(
      right: share(classes.reduce(0) { $0 + confusion[$1][$1] } - wrong.asGiven, samples - wrong.count),
      wrong: share(wrong.asGiven, wrong.count), truth: share(wrong.asTrue, wrong.count))

    let present = perClass.filter(\.isPresent)
    func mean(_ score: (ClassScores) -> Double) -> Double {
      present.reduce(0) { $0 + score($1) } / Double(present.count)
    }
    precision = mean(\.precision)
    recall = mean(\.recall)
    f1 = mean(\.f1)

    calibration = (0..<EvaluationSums.binCount).map { index in
      let bin = sums.bin(index)
      return CalibrationBin(
        count: bin.count, accuracy: ratio(Double(bin.correct), bin.count),
        confidence: ratio(bin.confidence, bin.count))
    }
    let error = calibration.reduce(0) { $0 + Double($1.count) * abs($1.accuracy - $1.confidence) }
    ece = nonFinite > 0 ? .nan : error / Double(samples)
  }
}

extension ClassificationMetrics.ClassScores {
  fileprivate init(correct: Int, support: Int, predicted: Int) {
    self.support = support
    self.predicted = predicted
    precision = ratio(Double(correct), predicted)
    recall = ratio(Double(correct), support)
    // The harmonic mean of both, 2 p r / (p + r), in counts.
    f1 = ratio(2 * Double(correct), support + predicted)
  }
}

private func ratio(_ part: Double, _ whole: Int) -> Double { whole == 0 ? 0 : part / Double(whole) }
