/// The numbers that a step reports: means over samples, named, in the order in which the parts of the method add them.
/// Those of a shard are summed like its gradient, weighted by its share of the batch. Nothing is allocated after
/// `init`.
package final class StepScalars {
  /// The mean task loss, of every step.
  package static let taskLoss = "task_loss"

  package let names: [String]
  /// One a name.
  package internal(set) var means: [Double]
  /// Samples whose largest logit is the label's.
  package var correct = 0

  package init(names: [String]) {
    precondition(Set(names).count == names.count, "a scalar has two sources: \(names)")
    precondition(names.first == Self.taskLoss, "the task loss comes first")
    self.names = names
    means = Array(repeating: 0, count: names.count)
  }

  /// The same names, and zeros.
  package convenience init(like other: StepScalars) { self.init(names: other.names) }

  package var taskLoss: Double { means[0] }

  /// From another target: changing an element of `means` there may allocate.
  package func set(_ index: Int, _ mean: Double) { means[index] = mean }

  /// Sets everything to zero, for the next shard or batch.
  func reset() {
    for index in means.indices { means[index] = 0 }
    correct = 0
  }
}
