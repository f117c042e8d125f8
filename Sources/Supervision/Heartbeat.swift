import Runtime

/// What a rank writes on its host's board while it gets on: its step, its phase, and how long that may take.
final class Heartbeat {
  private let board: HostBoard
  /// Seconds that a phase may take; nil: by the steps that were seen.
  private let limit: Double?
  private let spansHosts: Bool
  private var slowestStep = 0.0

  /// `limit`: `watchdog.seconds`. `spansHosts`: the job has ranks on other hosts.
  init(_ board: HostBoard, limit: Double?, spansHosts: Bool) {
    self.board = board
    self.limit = limit
    self.spansHosts = spansHosts
  }

  func begin(step: Int) { board.mine.set(step: step) }

  func beat(_ phase: Phase) {
    // A rank of another host may be at something slow, which the board does not show here.
    let least = phase.waits && limit == nil && spansHosts ? 600 : phase.leastLimit
    let allowed = min(max(usualLimit, least), 1e9)
    board.mine.set(phase: phase, since: HostBoard.now, limit: Int(allowed * 1e9))
  }

  /// A step that took so long has ended. One in which the job was suspended, or that was all but stuck, does not count:
  /// it would allow every later one as much.
  func saw(stepSeconds: Double) {
    if stepSeconds < usualLimit { slowestStep = max(slowestStep, stepSeconds) }
  }

  /// Twenty times the slowest step, and at least a minute, where the user has not said; ten minutes before there was a
  /// step.
  private var usualLimit: Double { limit ?? (slowestStep > 0 ? max(60, 20 * slowestStep) : 600) }
}
