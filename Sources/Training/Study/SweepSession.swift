import Foundation
import Glibc
import Logging
import MPI
import Reporting

/// One start of a study: what `icp sweep` does. The ranks are cut into groups; each takes a run, makes it as `icp train` would,
/// and takes the next, until none is left.
package final class SweepSession {
  private let sweep: Sweep
  private let world: Communicator
  private let group: Communicator
  private let bell: StopBell
  private let supervision: Supervision
  private var folder: StudyFolder
  private let console = Console(every: 1, isTerminal: false)
  private let total = Stopwatch()
  private var finishedAtStart = 0

  /// How a group came to its end.
  private enum Ending: Equatable {
    case done, stopped
    /// Something that is not a run's own fault, and would befall the next one too.
    case broken(Int32, String)
  }

  /// Every rank calls it.
  package init(
    _ sweep: Sweep, directory: String, redoing: Bool = false, retrying: Bool = false, communicator: Communicator
  ) throws {
    (self.sweep, world) = (sweep, communicator)
    guard world.size % sweep.ranksPerRun == 0 else {
      throw SharedError(
        exitCode: ExitCode.usage,
        description: "\(world.size) ranks cannot be cut into groups of 'ranks_per_run' \(sweep.ranksPerRun): start "
          + "\(max(1, world.size / sweep.ranksPerRun) * sweep.ranksPerRun)")
    }
    folder = try world.together { StudyFolder(path: directory, sweep: sweep, runs: try sweep.runs()) }
    ConsoleLogHandler.install(console: nil)
    bell = try StopBell(world)
    let folder = folder
    try world.together {
      if communicator.rank == 0 { try folder.prepare(redoing: redoing, retrying: retrying) }
    }
    group = try world.group(of: sweep.ranksPerRun)
    let (group, bell) = (group, bell)
    // What fails in one group only is every group's end.
    supervision = try world.together {
      try Supervision(group, limit: nil, fault: nil, firstRank: communicator.rank - group.rank, bell: bell)
    }
  }

  /// Throws, on every rank alike, where a run has failed, or the study was stopped.
  package func run() throws {
    defer { supervision.end() }
    try warn()
    finishedAtStart = try group.rank == 0 ? folder.finishedCount() : 0
    if world.rank == 0 {
      console.line(
        "\(sweep.source.name): \(folder.runs.count) runs, \(finishedAtStart) of them done before, "
          + "\(world.size / group.size) at a time, into \(folder.path)")
      for note in try folder.twins() { console.line("warning: \(note)") }
    }
    let ending = try takeRuns()
    supervision.beginRun(limit: nil)
    try world.barrier { try idle() }
    let endings = try gather(ending)
    try world.together {
      if world.rank == 0 { try report() }
    }
    try check(endings)
  }

  private func takeRuns() throws -> Ending {
    while true {
      switch try decide() {
      case .run(let index, let factor, let lock):
        let configuration = try folder.runs[index].configuration(epochsFactor: factor)
        if let ending = try make(index, configuration) { return try told(ending) }
        withExtendedLifetime(lock) {}
      case .wait: usleep(300_000)
      case .end(let ending): return try told(ending)
      }
      try idle()
    }
  }

  /// What would befall the other groups too is said at once, and asks them to stop: their runs may take hours.
  private func told(_ ending: Ending) throws -> Ending {
    guard case .broken(_, let cause) = ending else { return ending }
    if group.rank == 0, world.size > group.size { console.line("the sweep ends, other runs are saved: \(cause)") }
    try bell.ring()
    return ending
  }

  /// Keeps the watchdog quiet and listens for a request to stop.
  private func idle() throws {
    supervision.pulse.beat()
    _ = try bell.isRung()
  }

  // MARK: What next

  private enum Step {
    case run(Int, epochsFactor: Double, RunLock?)
    case wait
    case end(Ending)
  }

  /// The group's first rank decides, and the others hear it.
  private func decide() throws -> Step {
    var step = Step.wait
    if group.rank == 0 {
      do {
        if try bell.isRung() {
          step = .end(.stopped)
        } else {
          switch try folder.next() {
          case .run(let index, let factor, let lock): step = .run(index, epochsFactor: factor, lock)
          case .wait: step = .wait
          case .nothing: step = .end(.done)
          }
        }
      } catch let error as MPIError {
        throw error
      } catch {
        step = .end(.broken(ExitCode.of(error) ?? ExitCode.internalError, "\(error)"))
      }
    }
    guard group.size > 1 else { return step }
    let heard = try JSONDecoder().decode(
      Message.self, from: Data(try group.broadcast(Array(try JSONEncoder().encode(Message(step))))))
    guard group.rank > 0 else { return step }
    if let index = heard.index, let factor = heard.epochsFactor { return .run(index, epochsFactor: factor, nil) }
    if let ending = heard.ending { return .end(Self.ending(status: ending, text: "")) }
    return .wait
  }

  /// What a decision comes to for the others of the group.
  private struct Message: Codable {
    var index: Int?
    var epochsFactor: Double?
    var ending: Int32?

    init(_ step: Step) {
      switch step {
      case .run(let index, let factor, _): (self.index, epochsFactor) = (index, factor)
      case .wait: break
      case .end(let ending): self.ending = SweepSession.status(of: ending)
      }
    }
  }

  private static func status(of ending: Ending) -> Int32 {
    switch ending {
    case .done: 0
    case .stopped: ExitCode.stopped
    case .broken(let status, _): status
    }
  }

  private static func ending(status: Int32, text: String) -> Ending {
    switch status {
    case 0: .done
    case ExitCode.stopped: .stopped
    default: .broken(status, text)
    }
  }

  // MARK: A run

  /// What a run itself can be to blame for: its configuration, its data, numbers that are not finite.
  private static let ownFailures: Set<Int32> = [ExitCode.usage, 65, ExitCode.notFinite]

  /// Returns what keeps the group from taking another one.
  private func make(_ index: Int, _ configuration: RunConfiguration) throws -> Ending? {
    let run = folder.runs[index]
    let directory = folder.directory(index)
    let watch = Stopwatch()
    supervision.beginRun(limit: configuration.watchdog.seconds)
    var note = RunNote(run, configuration)
    do {
      let session = TrainingSession(
        configuration: configuration, name: run.name, runDirectory: directory, resume: .auto, communicator: group,
        pulse: supervision.pulse, isQuiet: true)
      let accuracy = try session.run().report.test?.accuracy
      // JSON has no other numbers.
      note.testAccuracy = accuracy.flatMap { $0.isFinite ? $0 : nil }
    } catch let error as SharedError where error.exitCode == ExitCode.stopped {
      return .stopped
    } catch let error as SharedError where Self.ownFailures.contains(error.exitCode) {
      (note.exitStatus, note.error) = (error.exitCode, error.description)
    } catch let error as SharedError {
      return .broken(error.exitCode, "\(run.name): \(error)")
    }
    do {
      try group.together {
        guard group.rank == 0 else { return }
        let made = StudyRun(
          directory: directory, point: "", variant: "", seed: 0, epochs: StudyRun.epochs(in: directory))
        note.trainingSeconds = made.trainingSeconds.last
        try note.write(to: directory)
        // Behind the note: a kill in between costs room on the disk, and no run.
        if note.exitStatus == nil { prune(directory) }
        tell(run, note, figure: figure(of: made), seconds: watch.seconds, finished: try folder.finishedCount())
      }
    } catch let error as SharedError {
      return .broken(error.exitCode, "\(run.name): \(error)")
    }
    return nil
  }

  /// Keeps of the checkpoints what the sweep says.
  private func prune(_ directory: String) {
    guard sweep.checkpoints != .all else { return }
    let folder = "\(directory)/checkpoints"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let last = names.last { CheckpointStore.step(of: $0) != nil }
    for name in names where sweep.checkpoints == .none || name != last { unlink("\(folder)/\(name)") }
  }

  /// What a run came to, in one figure: of a search, by which it chooses.
  private func figure(of run: StudyRun) -> String {
    let metric = sweep.search?.metric ?? "test_accuracy"
    let value = run.last(metric) ?? .nan
    return "\(sweep.search == nil ? "test" : metric) "
      + (Comparison.isFraction(metric) ? percent(value) : decimal(value, places: 4))
  }

  private func tell(_ run: SweepRun, _ note: RunNote, figure: String, seconds: Double, finished: Int) {
    let result = note.error.map { "FAILED (\(note.exitStatus!)): \($0)" } ?? figure
    let (count, done) = (folder.runs.count, finished - finishedAtStart)
    let left = done > 0 ? "  about \(duration(total.seconds / Double(done) * Double(count - finished))) left" : ""
    console.line("\(finished)/\(count)  \(run.name)  \(result)  \(duration(seconds))\(finished < count ? left : "")")
  }

  // MARK: Beginning and end

  /// Of the launch and the hosts, once and not with every run; what the first run's configuration comes to is its own to say.
  private func warn() throws {
    let plan = try? folder.runs.first.map { try RunPlan($0.configuration, ranks: group.size) }
    let isThere = try world.minimum([plan == nil ? 0 : 1])[0] == 1
    guard isThere, let plan else { return }
    try Preflight.warn(about: plan, ranks: group.size, communicator: world, logger: Logger(label: "icp"))
  }

  private func gather(_ ending: Ending) throws -> [Ending] {
    var text = ""
    if case .broken(_, let cause) = ending, group.rank == 0 { text = cause }
    let record = [UInt8(Self.status(of: ending))] + Array(text.utf8)
    return try world.gatherVarying(record).enumerated().compactMap { rank, bytes in
      rank % group.size == 0
        ? Self.ending(status: Int32(bytes[0]), text: String(decoding: bytes.dropFirst(), as: UTF8.self)) : nil
    }
  }

  /// What is done so far, as tables.
  private func report() throws {
    let runs = folder.runs.indices.compactMap { StudyRun(note: folder.directory($0)) }
    let comparison = Comparison(
      runs: runs, baseline: sweep.baseline, order: sweep.variants.map(\.name), points: sweep.points.map(\.title),
      unfinished: folder.runs.count - runs.count, metrics: sweep.metrics)
    try comparison.write(to: folder.path)
    if let search = sweep.search { try comparison.writeChosen(search, sweep, to: folder.path) }
    console.line(
      "\n\(comparison.markdown)\nwritten to \(folder.path)/results.md, results.csv, runs.csv, results.json and plots/")
  }

  private func check(_ endings: [Ending]) throws {
    for case .broken(let status, let cause) in endings { throw SharedError(exitCode: status, description: cause) }
    if endings.contains(.stopped) {
      throw SharedError(
        exitCode: ExitCode.stopped,
        description: "stopped on request; what was under way is saved, the same command goes on from there")
    }
    // Rank 0 knows: others may see a file system that is late.
    let failed = try world.together {
      world.rank == 0
        ? folder.runs.indices.compactMap { index in RunNote.read(folder.directory(index))?.exitStatus } : []
    }
    let counts = try world.maximum([Int64(failed.count), Int64(failed.first ?? 0)])
    guard counts[0] > 0 else { return }
    throw SharedError(
      exitCode: Int32(counts[1]),
      description: "\(counts[0]) of \(folder.runs.count) runs failed: see \(RunNote.failed) in their directories; "
        + "--retry-failed tries them again")
  }
}

/// `--dry-run`: what would run.
extension Sweep {
  package func description(directory: String) throws -> String {
    let folder = StudyFolder(path: directory, sweep: self, runs: try runs())
    let rows = folder.runs.indices.map { index in
      let run = folder.runs[index]
      let epochs = run.equalComputeWith.map { "as \($0) costs" } ?? "\(run.configuration.training.epochs)"
      let note = RunNote.read(folder.directory(index))
      return [run.name, epochs, note.map { $0.exitStatus == nil ? "done" : "failed" } ?? ""]
    }
    return Table.text(header: ["run", "epochs", "state"], rows: rows) + "\n\n\(rows.count) runs"
  }
}
