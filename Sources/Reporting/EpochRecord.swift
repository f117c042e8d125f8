import Runtime

/// What one epoch, or the part of it that ran, came to.
package struct EpochRecord: Sendable {
  /// From 0.
  package var epoch: Int
  /// The last step that counts towards it, so that a resume knows whether this record still holds.
  package var step: Int
  /// Means of the student passes.
  package var trainLoss: Double
  package var trainAccuracy: Double
  /// Nil where the training set has no validation split; then its keys are absent.
  package var validation: SplitScores?
  /// Nil where nothing was evaluated; then its keys are null.
  package var test: SplitScores?
  package var seconds: Double
  /// More values, written after the others in the order of their names.
  package var extra: [String: RecordValue]

  package init(
    epoch: Int, step: Int, trainLoss: Double, trainAccuracy: Double, validation: SplitScores? = nil,
    test: SplitScores?, seconds: Double, extra: [String: RecordValue] = [:]
  ) {
    self.epoch = epoch
    self.step = step
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.validation = validation
    self.test = test
    self.seconds = seconds
    self.extra = extra
  }

  /// The line without its end.
  package var json: String {
    var values: [(String, RecordValue)] = [
      ("train_loss", .number(trainLoss)), ("train_accuracy", .number(trainAccuracy)),
    ]
    if let validation { values += scores("validation", validation) }
    values += scores("test", test)
    values.append(("seconds", .number(seconds)))
    return object(kind: "epoch", integers: [("epoch", epoch), ("step", step)], values: values, extra: extra)
  }

  private func scores(_ split: String, _ scores: SplitScores?) -> [(String, RecordValue)] {
    [
      ("\(split)_loss", .number(scores?.loss)), ("\(split)_accuracy", .number(scores?.accuracy)),
      ("\(split)_f1", .number(scores?.f1)),
    ]
  }
}
