import MPI
import Networks
import Runtime

/// When and what a run saves.
extension Trainer {
  /// Rank 0 copies its state and trains on while it is written; the last save of a run is waited for, and every rank learns
  /// whether it worked.
  func save(metric: (value: Double, higherIsBetter: Bool)?, isLast: Bool = false) throws {
    let watch = Stopwatch()
    defer {
      pulse.enter(.records)
      savingSeconds += watch.seconds
    }
    // In this order: what only one rank holds, finite or not, is the others' to know first.
    try agree()
    try checkWeights()
    pulse.enter(.save)
    if isLast {
      try communicator.together { try journal?.saveAndWait(state, metric: metric) }
    } else {
      journal?.save(state, metric: metric)
    }
  }

  /// Three saves in a row failed, which every rank knows from the step's reduction.
  func endWithoutSaving() throws {
    try communicator.together { if let failure = journal?.failure { throw failure } }
  }

  /// An optimiser step can leave what no gradient showed: weights that are not finite must not become a checkpoint. The same
  /// on every rank, without asking the others.
  private func checkWeights() throws {
    guard let name = firstNotFinite() else { return }
    let cause = "\(name) is not finite after this step"
    guard plan.configuration.training.nonFinite == .rollback else {
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description:
          "step \(progress.step): \(cause), and was not saved; lower optimizer.learning_rate, and go on from "
          + "the last checkpoint")
    }
    throw Divergence(step: progress.step, cause: cause)
  }

  /// "conv1.weight", of weights, running statistics or the optimiser's state.
  private func firstNotFinite() -> String? {
    let layout = model.layout
    let blocks =
      [("", model.parameters.values, layout.parameters), ("", model.statistics.values, layout.statistics)]
      + optimizer.slots.map { ("\($0.name) of ", $0.values, layout.parameters) }
    for (prefix, values, entries) in blocks where !allFinite(values) {
      let entry = entries.first { !allFinite(UnsafeMutableBufferPointer(rebasing: values[$0.range])) }
      return prefix + (entry?.name ?? "a value")
    }
    return nil
  }

  /// x - x is 0 of a finite x and not a number of others, and a sum of such zeros stays 0: no branch in the loop, since
  /// training waits for it.
  private func allFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
    var sum = SIMD16<Float>.zero
    var index = 0
    let base = UnsafeRawPointer(values.baseAddress!)
    while index + 16 <= values.count {
      let lanes = base.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
      sum += lanes - lanes
      index += 16
    }
    return sum == .zero && values[index...].allSatisfy(\.isFinite)
  }
}
