import Foundation

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
  /// Samples whose loss counts as `EvaluationSums.largestLoss`, though it is larger.
  package let cappedLosses: Int
  package let accuracy: Double
  /// The mean over the classes that occur in truth of the share of their samples that is recognised: scikit-learn's
  /// `balanced_accuracy_score`.
  package let balancedAccuracy: Double
  /// The share whose class is among the five likeliest; nil below 20 classes, where it says little.
  package let topFiveAccuracy: Double?
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

  /// Bytes of its table of classes, which one more copy of is made while it is read.
  static func bytes(classes: Int) -> Double { 2 * 8 * Double(classes) * Double(classes) }

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
    let occurring = perClass.filter { $0.support > 0 }
    balancedAccuracy = occurring.reduce(0) { $0 + $1.recall } / Double(occurring.count)
    topFiveAccuracy = sums.classes < 20 ? nil : Double(sums.topFive) / Double(samples)
    cappedLosses = sums.cappedLosses
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
