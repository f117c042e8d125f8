/// What one rank alone met in a run, and where.
package struct RunFailure: Error, CustomStringConvertible {
  /// From 1; 0 before the first.
  package let step: Int
  package let phase: Phase
  package let cause: any Error
  package var description: String { "\(cause)" }

  package init(step: Int, phase: Phase, cause: any Error) {
    self.step = step
    self.phase = phase
    self.cause = cause
  }
}
