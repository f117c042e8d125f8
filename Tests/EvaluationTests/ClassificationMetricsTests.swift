import Evaluation
import Formats
import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct `Classification metrics` {
  private func sums(_ classes: Int, _ logits: [[Float]], _ labels: [Int32]) -> EvaluationSums {
    var sums = EvaluationSums(classes: classes)
    sums.add(logits: Array(logits.joined()), labels: labels, count: labels.count)
    return sums
  }

  /// Logits that predict `predicted` with probability 1 to rounding.
  private func sure(_ predicted: [Int], classes: Int) -> [[Float]] {
    predicted.map { label in (0..<classes).map { $0 == label ? 100 : 0 } }
  }

  // PyTorch's loss and the usual formulas in double precision; the script's macro scores were compared with
  // scikit-learn's. Losses and confidences are rounded to 2^-31, 5e-10.
  @Test func `are the reference's on 200 samples of 7 classes`() throws {
    let golden = try Golden(fixture: "metrics")
    func expected(_ name: String) throws -> Double {
      try #require(golden.file.metadata[name].flatMap(Double.init))
    }
    let labels = try golden.labels("y")
    var sums = EvaluationSums(classes: 7)
    sums.add(logits: try golden.floats("logits"), labels: labels, count: labels.count)
    let metrics = ClassificationMetrics(sums)
    #expect(abs(metrics.loss - (try expected("loss"))) < 1e-9)
    #expect(abs(metrics.ece - (try expected("ece"))) < 1e-9)
    #expect(metrics.accuracy == (try expected("accuracy")))
    #expect(abs(metrics.precision - (try expected("precision"))) < 1e-15)
    #expect(abs(metrics.recall - (try expected("recall"))) < 1e-15)
    #expect(abs(metrics.f1 - (try expected("f1"))) < 1e-15)
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: 7), count: 7)
    for (label, predicted) in zip(labels, try golden.labels("predicted")) {
      confusion[Int(label)][Int(predicted)] += 1
    }
    #expect(metrics.confusion == confusion)
    #expect(metrics.samples == 200 && metrics.nonFinite == 0)
  }

  @Test func `a loss that counts for less than it is is counted`() {
    let metrics = ClassificationMetrics(sums(2, [[0, 4096], [0, 4097], [5000, 0]], [0, 0, 0]))
    #expect(metrics.cappedLosses == 1 && abs(metrics.loss - 2 * 4096.0 / 3) < 1e-6)
  }

  @Test func `from 20 classes on the five likeliest count, of equal ones the first`() {
    var logits = [[Float]](repeating: (0..<20).map { Float($0) }, count: 3)
    // All alike: the first five are the likeliest.
    logits += [[Float]](repeating: [Float](repeating: 1, count: 20), count: 2) + [[.nan] + (1..<20).map { Float($0) }]
    let metrics = ClassificationMetrics(sums(20, logits, [19, 15, 14, 4, 5, 19]))
    #expect(metrics.topFiveAccuracy == 0.5)
    #expect(abs(metrics.accuracy - 1.0 / 6.0) < 1e-15)
    #expect(metrics.text.contains("top-5 accuracy: 50.00 %") && metrics.json.contains(#""top5_accuracy":0.5"#))
    let few = sums(19, logits.map { Array($0.prefix(19)) }, [1, 2, 3, 4, 5, 6])
    #expect(ClassificationMetrics(few).topFiveAccuracy == nil)
  }

  @Test func `a thousand classes are a page of text, and their confusions a list`() {
    let labels = (0..<2000).map { Int32($0 % 1000) }
    let predicted = (0..<2000).map { $0 % 1000 == 7 ? 8 : $0 % 1000 }
    var metrics = ClassificationMetrics(sums(1000, sure(predicted, classes: 1000), labels))
    metrics.classNames = (0..<1000).map { "name \($0)" }
    let lines = metrics.text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 60 && metrics.text.contains("the 20 of 1000 classes with the lowest F1"))
    #expect(metrics.text.contains(/\n +7 +8 +2 .*name 7.*name 8/), "\(metrics.text)")
    #expect(metrics.json.contains("[7,8,2]") && !metrics.json.contains(#""confusion":"#))
    #expect(metrics.json.utf8.count < 300_000)
  }

  @Test func `follow from the confusion by hand`() {
    // Class 0: 2 of 3 found, 1 false alarm. Class 1: 1 of 2 found. Class 2 is predicted once, never true.
    let metrics = ClassificationMetrics(sums(4, sure([0, 0, 1, 1, 2], classes: 4), [0, 0, 0, 1, 1]))
    #expect(metrics.confusion == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    #expect(metrics.accuracy == 0.6)
    #expect(metrics.perClass.map(\.support) == [3, 2, 0, 0])
    #expect(metrics.perClass.map(\.predicted) == [2, 2, 1, 0])
    #expect(metrics.perClass.map(\.precision) == [1, 0.5, 0, 0])
    #expect(metrics.perClass.map(\.recall) == [2.0 / 3, 0.5, 0, 0])
    #expect(metrics.perClass.map(\.f1) == [0.8, 0.5, 0, 0])
    // The mean over the three classes that occur: class 3 occurs nowhere and is left out, as in scikit-learn.
    #expect(metrics.perClass.map(\.isPresent) == [true, true, true, false])
    #expect(metrics.precision == 0.5)
    // Classes that are never true have no accuracy.
    let balanced: Double = (2.0 / 3.0 + 0.5) / 2.0
    #expect(abs(metrics.balancedAccuracy - balanced) < 1e-15)
    #expect(metrics.topFiveAccuracy == nil)
    #expect(abs(metrics.f1 - 1.3 / 3) < 1e-15)
  }

  @Test func `have the same bits however the samples are divided over ranks`() {
    var stream = RandomStream(seed: 6, purpose: .test)
    let logits = (0..<97).map { _ in (0..<5).map { _ in Float(3 * stream.normal()) } }
    let labels = (0..<97).map { _ in Int32(stream.integer(below: 5)) }
    let whole = sums(5, logits, labels)
    for ranks in [2, 3, 4, 97] {
      let parts = (0..<ranks).map { rank in
        let range = 97 * rank / ranks..<97 * (rank + 1) / ranks
        return sums(5, Array(logits[range]), Array(labels[range]))
      }
      var reduced = EvaluationSums(classes: 5)
      for part in parts.reversed() {
        for index in reduced.values.indices { reduced.values[index] += part.values[index] }
      }
      #expect(reduced == whole)
      #expect(ClassificationMetrics(reduced) == ClassificationMetrics(whole))
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `a sample with a logit that is not finite counts as wrong, and is counted`(bad: Float) {
    let metrics = ClassificationMetrics(sums(2, [[9, 0], [bad, 0], [0, bad], [0, 9]], [0, 0, 0, 1]))
    #expect(metrics.samples == 4 && metrics.nonFinite == 2)
    #expect(metrics.accuracy == 0.5)
    #expect(metrics.perClass[0].support == 3)
    #expect(metrics.perClass[0].recall == 1.0 / 3)
    // No honest mean exists: records show null.
    #expect(metrics.loss.isNaN && metrics.ece.isNaN)
  }

  @Test func `a tie goes to the first class, as in PyTorch and NumPy`() {
    #expect(ClassificationMetrics(sums(3, [[1, 2, 2]], [1])).accuracy == 1)
    #expect(ClassificationMetrics(sums(3, [[1, 2, 2]], [2])).accuracy == 0)
  }

  @Test func `calibration error is what confidence exceeds accuracy by`() {
    // Two classes at log-odds log 3: confidence 3/4, in the bin (11/15, 12/15].
    let logits = [[Float]](repeating: [Float(log(3.0)), 0], count: 8)
    // 6 of 8 right is calibrated; 2 of 8 is off by one half. 1e-7: log 3 is rounded to float32.
    #expect(ClassificationMetrics(sums(2, logits, [0, 0, 0, 0, 0, 0, 1, 1])).ece < 1e-7)
    let metrics = ClassificationMetrics(sums(2, logits, [0, 0, 1, 1, 1, 1, 1, 1]))
    #expect(abs(metrics.ece - 0.5) < 1e-7)
    #expect(metrics.calibration[11].count == 8)
    #expect(metrics.calibration.map(\.count).reduce(0, +) == 8)
    #expect(abs(metrics.calibration[11].confidence - 0.75) < 1e-7)
  }

  @Test func `the loss is the mean negative log likelihood, held at 4096 a sample`() {
    let logits: [[Float]] = [[0, 0], [Float(log(3.0)), 0]]
    // -log(1/2) and -log(1/4).
    #expect(abs(ClassificationMetrics(sums(2, logits, [0, 1])).loss - log(8) / 2) < 1e-7)
    #expect(ClassificationMetrics(sums(2, [[1e30, -1e30], [0, -9000]], [1, 0])).loss == 2048)
  }

  @Test func `samples with wrong labels are counted by what they are predicted as`() {
    // Labels 0 0 0 1 1 2, true 0 0 1 1 2 2: samples 2 and 4 are wrong; one is predicted as given, one as true.
    var sums = EvaluationSums(classes: 3)
    let logits = sure([0, 1, 0, 1, 2, 2], classes: 3)
    sums.add(logits: Array(logits.joined()), labels: [0, 0, 0, 1, 1, 2], trueLabels: [0, 0, 1, 1, 2, 2], count: 6)
    let scores = ClassificationMetrics(sums).labelScores
    #expect(scores.right == 0.75 && scores.wrong == 0.5 && scores.truth == 0.5)
    // Without noise nothing is wrong, and accuracy is that of the right labels.
    let plain = ClassificationMetrics(self.sums(3, logits, [0, 0, 0, 1, 1, 2]))
    #expect(plain.labelScores.right == plain.accuracy)
    #expect(plain.labelScores.wrong == nil && plain.labelScores.truth == nil)
  }

  @Test func `over nothing are not numbers`() {
    let metrics = ClassificationMetrics(EvaluationSums(classes: 3))
    #expect(metrics.accuracy.isNaN && metrics.loss.isNaN && metrics.f1.isNaN && metrics.ece.isNaN)
    #expect(metrics.samples == 0)
  }
}
