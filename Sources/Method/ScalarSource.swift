import Runtime

/// Whoever writes some of a step's scalars.
package protocol ScalarSource: AnyObject {
  /// What the batch's means come to, for the record of the step; nothing by default.
  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues
}

extension ScalarSource {
  package func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues { [:] }
}
