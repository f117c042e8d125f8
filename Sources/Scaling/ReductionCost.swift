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

/// Small systems of linear equations.
package enum LeastSquares {
  /// The x >= 0 with the smallest |A x - b|^2, A by rows with a few columns: of every choice of columns that are not 0
  /// the best one whose solution has none below 0.
  package static func nonNegative(_ rows: [[Double]], _ values: [Double]) -> [Double] {
    let columns = rows[0].count
    var best = (error: values.reduce(0) { $0 + $1 * $1 }, solution: [Double](repeating: 0, count: columns))
    for choice in 1..<(1 << columns) {
      let chosen = (0..<columns).filter { choice >> $0 & 1 == 1 }
      guard let part = solve(rows.map { row in chosen.map { row[$0] } }, values), part.allSatisfy({ $0 >= 0 }) else {
        continue
      }
      var solution = [Double](repeating: 0, count: columns)
      for (place, value) in zip(chosen, part) { solution[place] = value }
      let error = zip(rows, values).reduce(0) { sum, pair in
        let difference = zip(pair.0, solution).reduce(-pair.1) { $0 + $1.0 * $1.1 }
        return sum + difference * difference
      }
      // Fewer columns win where more do not help: choices grow.
      if error < best.error * (1 - 1e-9) { best = (error, solution) }
    }
    return best.solution
  }

  /// By the normal equations, columns scaled to length 1; nil where they do not determine x.
  static func solve(_ rows: [[Double]], _ values: [Double]) -> [Double]? {
    let columns = rows[0].count
    let scales = (0..<columns).map { column in rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot() }
    guard scales.allSatisfy({ $0 > 0 }) else { return nil }
    var matrix = (0..<columns).map { one in
      (0..<columns).map { other in rows.reduce(0) { $0 + $1[one] * $1[other] } / scales[one] / scales[other] }
        + [zip(rows, values).reduce(0) { $0 + $1.0[one] * $1.1 } / scales[one]]
    }
    for column in 0..<columns {
      let pivot = (column..<columns).max { abs(matrix[$0][column]) < abs(matrix[$1][column]) }!
      guard abs(matrix[pivot][column]) > 1e-9 else { return nil }
      matrix.swapAt(column, pivot)
      for row in 0..<columns where row != column {
        let factor = matrix[row][column] / matrix[column][column]
        for place in column...columns { matrix[row][place] -= factor * matrix[column][place] }
      }
    }
    return (0..<columns).map { matrix[$0][columns] / matrix[$0][$0] / scales[$0] }
  }
}
