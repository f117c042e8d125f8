import Kernels

/// The exponential moving average of a model's parameters and running statistics over the steps of a run
/// (`training.ema`), as timm's ModelEmaV3 takes it: it begins as the weights are, and every step moves it by 1 - decay
/// of the way to them. It follows from weights that are the same on every rank, so it is too.
package final class WeightAverage {
  /// What the average is now, as a model.
  package let model: ModelState
  private let share: Float

  /// `decay`: above 0 and below 1; its memory is about 1 / (1 - decay) steps.
  package init(of model: ModelState, decay: Double) {
    precondition(decay > 0 && decay < 1, "a decay of \(decay)")
    self.model = ModelState(copying: model)
    share = Float(1 - decay)
  }

  /// After a step of the optimiser: average += (1 - decay) (weights - average). Allocates nothing.
  package func update(from model: ModelState) {
    Self.move(self.model.parameters, to: model.parameters, by: share)
    Self.move(self.model.statistics, to: model.statistics, by: share)
  }

  /// Begins anew, as the weights are.
  package func restart(from model: ModelState) { self.model.copy(model) }

  private static func move(_ average: Tensor, to values: Tensor, by share: Float) {
    let (average, values, count) = (average.pointer, values.pointer, average.count)
    for index in 0..<count { average[index] += share * (values[index] - average[index]) }
  }
}
