/// What the epochs of a run came to, read back from its `metrics.jsonl`: those before a resume too.
package struct EpochHistory: Sendable {
  package struct Epoch: Sendable, Equatable {
    /// From 0.
    package let epoch: Int
    /// Fractions from 0 to 1.
    package let testAccuracy: Double
    package let validationAccuracy: Double?
  }

  package let epochs: [Epoch]

  /// No epochs where the file cannot be read: the summary does without.
  package init(metricsPath path: String) {
    epochs = RecordLines.read(path).compactMap { record in
      guard record["kind"] as? String == "epoch", let epoch = record["epoch"] as? Int,
        let test = record["test_accuracy"] as? Double
      else { return nil }
      return Epoch(epoch: epoch, testAccuracy: test, validationAccuracy: record["validation_accuracy"] as? Double)
    }
  }

  /// The first of the highest test accuracy. The test set chose it, so it is no result: it shows what stopping at the
  /// right time could have saved at most.
  package var bestByTest: Epoch? { first(of: \.testAccuracy) }

  /// The first of the highest validation accuracy, which an honest choice takes; nil without a validation split.
  package var bestByValidation: Epoch? { first(of: \.validationAccuracy) }

  private func first(of accuracy: (Epoch) -> Double?) -> Epoch? {
    epochs.filter { accuracy($0) != nil }.max { accuracy($0)! < accuracy($1)! }
  }
}
