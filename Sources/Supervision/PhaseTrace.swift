import Glibc
import Runtime

/// When this rank entered each phase of chosen steps: what a trace shows.
package final class PhaseTrace {
  package struct Entry: Equatable, Sendable {
    package let phase: Phase
    /// From 1.
    package let step: Int
    /// By this host's monotonic clock, in nanoseconds.
    package let time: Int64

    package init(phase: Phase, step: Int, time: Int64) {
      self.phase = phase
      self.step = step
      self.time = time
    }
  }

  package let steps: ClosedRange<Int>
  package private(set) var entries: [Entry] = []

  package init(steps: ClosedRange<Int>) {
    self.steps = steps
    entries.reserveCapacity(256 * min(steps.count, 1000))
  }

  func entered(_ phase: Phase, step: Int) {
    if steps.contains(step) { entries.append(Entry(phase: phase, step: step, time: Self.now)) }
  }

  /// Nanoseconds of the clock that all processes of a host share.
  package static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
