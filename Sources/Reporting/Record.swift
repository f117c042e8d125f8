import Runtime

/// A line of `metrics.jsonl`: what a step, an epoch or a finished run came to (docs/CONFIGURATION.md, "Records").
/// Steps count from 1, epochs from 0.
package struct Record: Sendable {
  package enum Kind: String, Sendable { case step, evaluation, epoch, final }

  package let kind: Kind
  /// In the order in which they are written.
  package let values: NamedValues

  /// The line without its end.
  package var json: String { "{\"kind\":\"\(kind.rawValue)\",\(values.jsonMembers)}" }

  /// Values of that step alone, not means. Those of `stepColumns` come first, null where the step has none of that
  /// name.
  package static func step(_ step: Int, epoch: Int, _ values: NamedValues) -> Record {
    Record(kind: .step, values: ["step": .integer(step), "epoch": .integer(epoch)] + values.ordered(stepColumns))
  }

  private static let stepColumns = [
    "task_loss", "distillation_loss", "total_loss", "alpha", "gradient_norm", "learning_rate", "perturbation",
    "loss_at_x0", "loss_at_xT", "images_per_second",
  ]

  /// An epoch, or the part of it that ran. `step`: the last one that counts towards it, so that a resume knows whether
  /// the record still holds. Without `validation` its keys are absent, without `test` they are null; `others` follow in
  /// the order of their names.
  package static func epoch(
    _ epoch: Int, step: Int, trainLoss: Double, trainAccuracy: Double, validation: SplitScores? = nil,
    test: SplitScores?, seconds: Double, others: NamedValues = [:]
  ) -> Record {
    let train: NamedValues = ["train_loss": .number(trainLoss), "train_accuracy": .number(trainAccuracy)]
    return Record(
      kind: .epoch,
      values: ["epoch": .integer(epoch), "step": .integer(step)] + train
        + (validation.map { scores("validation", $0) } ?? [:]) + scores("test", test) + ["seconds": .number(seconds)]
        + others.ordered([]))
  }

  /// What was measured within an epoch, after `step`.
  package static func evaluation(_ epoch: Int, step: Int, _ values: NamedValues) -> Record {
    Record(kind: .evaluation, values: ["epoch": .integer(epoch), "step": .integer(step)] + values)
  }

  /// Of "test" or "validation"; null where it was not measured. What few records have is left out there.
  package static func scores(_ split: String, _ scores: SplitScores?) -> NamedValues {
    var values: [(name: String, value: RecordValue)] = [
      ("\(split)_loss", .number(scores?.loss)), ("\(split)_accuracy", .number(scores?.accuracy)),
      ("\(split)_f1", .number(scores?.f1)),
    ]
    if let value = scores?.balancedAccuracy { values.append(("\(split)_balanced_accuracy", .number(value))) }
    if let value = scores?.topFiveAccuracy { values.append(("\(split)_top5_accuracy", .number(value))) }
    return NamedValues(values)
  }

  /// What is measured once, when a run has ended (docs/EVALUATION.md): after its last step, of its last epoch.
  package static func final(step: Int, epoch: Int, _ values: NamedValues) -> Record {
    Record(kind: .final, values: ["step": .integer(step), "epoch": .integer(epoch)] + values)
  }
}
