import Files
import MPI
import Reporting
import Runtime

/// Where this rank is in its run: each phase is marked as it begins, for the watchdogs of its host, for the times of a step,
/// and for the fault that a test has ordered. Nothing is allocated after `init`.
package final class Pulse: PhaseMarking {
  let board: HostBoard
  private let fault: Fault?
  private let disk: FaultyDisk?
  private let rollCall: RollCall?
  private let bell: StopBell?
  private var hasStruck = false
  /// Seconds that a phase may take; nil: by the steps that were seen.
  private let limit: Double?
  package private(set) var phase = Phase.start
  private var watch = Stopwatch()
  private var times = [Double](repeating: 0, count: Phase.allCases.count)
  private var slowestStep = 0.0
  /// From 1; 0 before the first.
  package private(set) var step = 0

  package convenience init() { self.init(board: HostBoard(), rollCall: nil, limit: nil, fault: nil) }

  /// `limit`: `watchdog.seconds`. `fault`: one that is due on this rank.
  init(board: HostBoard, rollCall: RollCall?, limit: Double?, fault: Fault?, bell: StopBell? = nil) {
    (self.board, self.rollCall, self.limit, self.fault, self.bell) = (board, rollCall, limit, fault, bell)
    disk = FaultyDisk(fault)
    enter(.start)
  }

  /// What follows belongs to step `step`, and begins with waiting for its batch.
  package func begin(step: Int) {
    self.step = step
    board.mine.set(step: step)
    for phase in times.indices { times[phase] = 0 }
    enter(.data)
  }

  /// What ran so far was the last phase entered; from here on it is `phase`.
  package func enter(_ phase: Phase) {
    times[self.phase.rawValue] += watch.lap()
    self.phase = phase
    // Not from a step in which the job was suspended, or that was all but stuck: it would allow every later one as much.
    if phase == .records, stepSeconds < usualLimit { slowestStep = max(slowestStep, stepSeconds) }
    beat()
    if let fault, !hasStruck, fault.isDue(step: step, phase: phase) {
      hasStruck = true
      fault.strike()
      disk?.strike()
    }
  }

  /// The phase goes on, and is not stuck.
  package func beat() { board.mine.set(phase: phase, since: HostBoard.now, limit: nanosecondsAllowed) }

  /// Called again and again while the step's reduction waits for other ranks.
  package func wait() throws(MPIError) { try rollCall?.wait(step: step) }

  /// Whether this rank, or another one of its study, was asked to stop.
  package func isAskedToStop() throws(MPIError) -> Bool { try bell?.isRung() ?? StopRequests.areThere }

  /// What a test has ordered for this step, as often as it comes.
  package var orderedFault: Fault.Kind? { fault?.step == step ? fault?.kind : nil }
  package func isOrdered(_ kind: Fault.Kind) -> Bool { orderedFault == kind }

  /// The operating system, as the fault leaves it.
  package var system: System { disk?.system ?? System() }

  /// Says something of this rank's own, on standard error.
  package func warn(_ text: String) {
    Fatal.write(
      Fatal.line(
        rank: board.firstRank + board.mine.rank, host: Platform.host, step: step == 0 ? nil : step, phase: "\(phase)",
        message: "warning: \(text)"))
  }

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

  /// Twenty times the slowest step, and at least a minute, where the user has not said; ten minutes before there was a step.
  private var usualLimit: Double { limit ?? (slowestStep > 0 ? max(60, 20 * slowestStep) : 600) }

  private var nanosecondsAllowed: Int {
    // A rank of another host may be at something slow, which the board does not show here.
    let least = phase.waits && limit == nil && rollCall?.spansHosts == true ? 600 : phase.leastLimit
    return Int(min(max(usualLimit, least), 1e9) * 1e9)
  }
}
