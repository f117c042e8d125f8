import Runtime

/// Which phase of its run this rank is in, and how long each phase of the step has taken. Every phase is a beat for the
/// watchdogs of its host. Nothing is allocated after `init`.
package final class PhaseClock: PhaseMarking {
  private let heartbeat: Heartbeat
  private let probe: any RunProbe
  package private(set) var phase = Phase.start
  /// From 1; 0 before the first.
  package private(set) var step = 0
  /// Hears of every phase of the steps that it asks for.
  package var trace: PhaseTrace?
  private var watch = Stopwatch()
  private var times = [Double](repeating: 0, count: Phase.allCases.count)

  /// One that nobody watches.
  package convenience init() { self.init(Heartbeat(HostBoard(), limit: nil, spansHosts: false), NoProbe()) }

  init(_ heartbeat: Heartbeat, _ probe: any RunProbe) {
    self.heartbeat = heartbeat
    self.probe = probe
    enter(.start)
  }

  /// What follows belongs to step `step`, and begins with waiting for its batch.
  package func begin(step: Int) {
    self.step = step
    heartbeat.begin(step: step)
    for phase in times.indices { times[phase] = 0 }
    enter(.data)
  }

  /// What ran so far was the last phase entered; from here on it is `phase`.
  package func enter(_ phase: Phase) {
    times[self.phase.rawValue] += watch.lap()
    self.phase = phase
    trace?.entered(phase, step: step)
    if phase == .records { heartbeat.saw(stepSeconds: stepSeconds) }
    beat()
    probe.entered(phase, step: step)
  }

  /// The phase goes on, and is not stuck.
  package func beat() { heartbeat.beat(phase) }

  /// Seconds in a phase of the step that began last.
  package subscript(phase: Phase) -> Double { times[phase.rawValue] }

  /// Of all its phases.
  package var stepSeconds: Double {
    var sum = 0.0
    for phase in Phase.data.rawValue...Phase.optimizer.rawValue { sum += times[phase] }
    return sum
  }

  /// This rank's own part of the step, without waiting for the others.
  package var computingSeconds: Double {
    times[Phase.student.rawValue] + times[Phase.refinement.rawValue] + times[Phase.target.rawValue]
      + times[Phase.backward.rawValue]
  }
}
