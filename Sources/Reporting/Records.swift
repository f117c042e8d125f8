import Runtime

/// What one step measured; values of that step, not means. (The records of `metrics.jsonl`: one JSON object a line,
/// keys in a fixed order; docs/CONFIGURATION.md, "Records".)
package struct StepRecord: Sendable {
  /// From 1.
  package var step: Int
  /// From 0.
  package var epoch: Int
  /// By name, none twice.
  package var values: [(name: String, value: RecordValue)]

  package init(step: Int, epoch: Int, values: [(name: String, value: RecordValue)]) {
    self.step = step
    self.epoch = epoch
    self.values = values
  }

  /// What every record has, in this order, null where the step has no such value. Others follow in the order of their
  /// names.
  static let columns = [
    "task_loss", "distillation_loss", "total_loss", "alpha", "gradient_norm", "learning_rate", "perturbation",
    "loss_at_x0", "loss_at_xT", "images_per_second",
  ]

  /// The line without its end.
  package var json: String {
    let found = Dictionary(uniqueKeysWithValues: values.map { ($0.name, $0.value) })
    return object(
      kind: "step", integers: [("step", step), ("epoch", epoch)],
      values: Self.columns.map { ($0, found[$0] ?? .number(nil)) },
      extra: found.filter { !Self.columns.contains($0.key) })
  }
}

/// Loss, accuracy and macro F1 over a data set; accuracy and F1 are fractions from 0 to 1.
package struct SplitScores: Sendable {
  package var loss: Double
  package var accuracy: Double
  package var f1: Double

  package init(loss: Double, accuracy: Double, f1: Double) {
    self.loss = loss
    self.accuracy = accuracy
    self.f1 = f1
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

/// What is measured once, when a run has ended (docs/EVALUATION.md).
package struct FinalRecord: Sendable {
  /// The run's last step, and its epoch.
  package var step, epoch: Int
  package var values: [(String, RecordValue)]

  package init(step: Int, epoch: Int, values: [(String, RecordValue)]) {
    self.step = step
    self.epoch = epoch
    self.values = values
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
