/// Where in a run a step stands, as far as the method asks; the same on every rank.
package struct StepContext: Sendable {
  package var epoch: Int
  /// The batch's number in its epoch.
  package var position: Int
  /// Samples of the batch, over all ranks.
  package var batchCount: Int
  package var stage: Stage
  /// a(e), the weight of the task loss.
  package var alpha: Double
  /// r, the weight of a distillation that comes beside the whole task loss.
  package var strength: Double
  /// What the refinement's step size is multiplied by.
  package var reach: Double
  /// Whether the student's images are mixed, where a run mixes any.
  package var mixes: Bool
  /// A step that is recorded: takes what costs more passes, such as the loss at x_T.
  package var isLogged: Bool

  package init(
    epoch: Int, position: Int = 0, batchCount: Int, stage: Stage, alpha: Double, strength: Double = 1,
    reach: Double = 1, mixes: Bool = true, isLogged: Bool = false
  ) {
    self.epoch = epoch
    self.position = position
    self.batchCount = batchCount
    self.stage = stage
    self.alpha = alpha
    self.strength = strength
    self.reach = reach
    self.mixes = mixes
    self.isLogged = isLogged
  }
}
