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

/// One JSON object of `values`, in their order. Keys are ours and need no escapes.
package func jsonObject(_ values: [(String, RecordValue)]) -> String {
  "{\(values.map { "\"\($0.0)\":\(json($0.1))" }.joined(separator: ","))}"
}

/// Keys are ours and need no escapes.
func object(
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
