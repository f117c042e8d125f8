/// The parts of a step, in the order in which they run.
package enum StepPhase: Int, CaseIterable, Sendable {
  /// Waiting for the batch.
  case data
  case student, refinement, target, backward
  /// Into fixed point, over the ranks, and back.
  case reduction
  case optimizer
}

/// Where the seconds of a step went. Nothing is allocated after `init`.
package struct PhaseTimes: Sendable {
  private var times = [Double](repeating: 0, count: StepPhase.allCases.count)
  private var watch = Stopwatch()

  package init() {}

  /// Starts a step.
  package mutating func begin() {
    for phase in times.indices { times[phase] = 0 }
    _ = watch.lap()
  }

  /// What ran since `begin`, or since the last `end`, was `phase`.
  package mutating func end(_ phase: StepPhase) { times[phase.rawValue] += watch.lap() }

  package subscript(phase: StepPhase) -> Double { times[phase.rawValue] }

  /// The whole step, in seconds.
  package var total: Double { times.reduce(0, +) }
}
