/// Seconds of a sum over the ranks: for each class of links a latency an exchange and a time a byte (Hockney 1994),
/// over the exchanges of `ReductionSchedule`.
package struct ReductionCost: Equatable, Sendable {
  /// Seconds an exchange, and a byte.
  package var networkLatency, networkByte: Double
  package var hostLatency, hostByte: Double
  /// Whether anything that was fitted crossed hosts, or stayed within one.
  package var knowsNetwork, knowsHost: Bool

  package init(
    networkLatency: Double, networkByte: Double, hostLatency: Double, hostByte: Double, knowsNetwork: Bool = true,
    knowsHost: Bool = true
  ) {
    self.networkLatency = networkLatency
    self.networkByte = networkByte
    self.hostLatency = hostLatency
    self.hostByte = hostByte
    self.knowsNetwork = knowsNetwork
    self.knowsHost = knowsHost
  }

  /// One sum that was timed.
  package struct Sample: Sendable {
    package let schedule: ReductionSchedule
    package let bytes: Int
    package let seconds: Double

    package init(schedule: ReductionSchedule, bytes: Int, seconds: Double) {
      self.schedule = schedule
      self.bytes = bytes
      self.seconds = seconds
    }
  }

  /// The least squares of relative errors, none of the four below 0. Nil where nothing crossed any link.
  package init?(fitting samples: [Sample]) {
    let samples = samples.filter { $0.seconds > 0 && $0.schedule != ReductionSchedule(hosts: [0]) }
    guard !samples.isEmpty else { return nil }
    let rows = samples.map { sample in
      Self.features(sample.schedule, sample.bytes).map { $0 / sample.seconds }
    }
    let solution = LeastSquares.nonNegative(rows, Array(repeating: 1, count: rows.count))
    self.init(
      networkLatency: solution[0], networkByte: solution[1], hostLatency: solution[2], hostByte: solution[3],
      knowsNetwork: samples.contains { $0.schedule.networkRounds > 0 },
      knowsHost: samples.contains { $0.schedule.hostRounds > 0 })
  }

  package func seconds(_ schedule: ReductionSchedule, bytes: Int) -> Double {
    zip(Self.features(schedule, bytes), [networkLatency, networkByte, hostLatency, hostByte]).reduce(0) {
      $0 + $1.0 * $1.1
    }
  }

  /// Whether it can say anything of such a sum.
  package func covers(_ schedule: ReductionSchedule) -> Bool {
    (knowsNetwork || schedule.networkRounds == 0) && (knowsHost || schedule.hostRounds == 0)
  }

  private static func features(_ schedule: ReductionSchedule, _ bytes: Int) -> [Double] {
    [
      schedule.networkRounds, schedule.networkShare * Double(bytes), schedule.hostRounds,
      schedule.hostShare * Double(bytes),
    ]
  }
}
