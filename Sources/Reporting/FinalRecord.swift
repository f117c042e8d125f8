import Runtime

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
