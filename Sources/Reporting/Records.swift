/// The records of `metrics.jsonl`: one JSON object a line, keys in a fixed order (docs/CONFIGURATION.md, "Records").
/// A value that is nil or not finite is written as null: JSON has no infinity.
package enum RecordValue: Sendable, Equatable {
  case number(Double?)
  case integer(Int)
  case list([Double])
}

/// What one step measured; values of that step, not means.
package struct StepRecord: Sendable {
  /// From 1.
  package var step: Int
  /// From 0.
  package var epoch: Int
  package var taskLoss: Double
  /// Nil during warm-up and with rule none, like the perturbation and the two losses below.
  package var distillationLoss: Double?
  package var totalLoss: Double
  package var alpha: Double
  /// Before clipping.
  package var gradientNorm: Double
  package var learningRate: Double
  /// Mean |x_T - x|.
  package var perturbation: Double?
  package var lossAtX0: Double?
  package var lossAtXT: Double?
  package var imagesPerSecond: Double
  /// More values, written after the others in the order of their names.
  package var extra: [String: RecordValue]

  package init(
    step: Int, epoch: Int, taskLoss: Double, distillationLoss: Double?, totalLoss: Double, alpha: Double,
    gradientNorm: Double, learningRate: Double, perturbation: Double?, lossAtX0: Double?, lossAtXT: Double?,
    imagesPerSecond: Double, extra: [String: RecordValue] = [:]
  ) {
    (self.step, self.epoch) = (step, epoch)
    (self.taskLoss, self.distillationLoss, self.totalLoss) = (taskLoss, distillationLoss, totalLoss)
    (self.alpha, self.gradientNorm, self.learningRate) = (alpha, gradientNorm, learningRate)
    (self.perturbation, self.lossAtX0, self.lossAtXT) = (perturbation, lossAtX0, lossAtXT)
    (self.imagesPerSecond, self.extra) = (imagesPerSecond, extra)
  }

  /// The line without its end.
  package var json: String {
    object(
      kind: "step", integers: [("step", step), ("epoch", epoch)],
      values: [
        ("task_loss", .number(taskLoss)), ("distillation_loss", .number(distillationLoss)),
        ("total_loss", .number(totalLoss)), ("alpha", .number(alpha)),
        ("gradient_norm", .number(gradientNorm)),
        ("learning_rate", .number(learningRate)), ("perturbation", .number(perturbation)),
        ("loss_at_x0", .number(lossAtX0)), ("loss_at_xT", .number(lossAtXT)),
        ("images_per_second", .number(imagesPerSecond)),
      ], extra: extra)
  }
}

/// Loss, accuracy and macro F1 over a data set; accuracy and F1 are fractions from 0 to 1.
package struct SplitScores: Sendable {
  package var loss: Double
  package var accuracy: Double
  package var f1: Double

  package init(loss: Double, accuracy: Double, f1: Double) {
    (self.loss, self.accuracy, self.f1) = (loss, accuracy, f1)
  }
}

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
    (self.epoch, self.step, self.trainLoss, self.trainAccuracy) = (epoch, step, trainLoss, trainAccuracy)
    (self.validation, self.test, self.seconds, self.extra) = (validation, test, seconds, extra)
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

/// What is measured once, when a run has ended (docs/EVALUATION.md).
package struct FinalRecord: Sendable {
  /// The run's last step, and its epoch.
  package var step, epoch: Int
  package var values: [(String, RecordValue)]

  package init(step: Int, epoch: Int, values: [(String, RecordValue)]) {
    (self.step, self.epoch, self.values) = (step, epoch, values)
  }

  /// The line without its end.
  package var json: String {
    object(kind: "final", integers: [("step", step), ("epoch", epoch)], values: values, extra: [:])
  }
}

/// One JSON object of `values`, in their order. Keys are ours and need no escapes.
package func jsonObject(_ values: [(String, RecordValue)]) -> String {
  "{\(values.map { "\"\($0.0)\":\(json($0.1))" }.joined(separator: ","))}"
}

/// Keys are ours and need no escapes.
private func object(
  kind: String, integers: [(String, Int)], values: [(String, RecordValue)], extra: [String: RecordValue]
) -> String {
  let extra = extra.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  let members =
    ["\"kind\":\"\(kind)\""] + integers.map { "\"\($0.0)\":\($0.1)" }
    + (values + extra).map { "\"\($0.0)\":\(json($0.1))" }
  return "{\(members.joined(separator: ","))}"
}

private func json(_ value: RecordValue) -> String {
  switch value {
  // Swift prints the shortest digits that read back to the same value, in a form that JSON allows.
  case .number(let number?) where number.isFinite: "\(number)"
  case .number: "null"
  case .integer(let integer): "\(integer)"
  case .list(let numbers): "[\(numbers.map { json(.number($0)) }.joined(separator: ","))]"
  }
}
