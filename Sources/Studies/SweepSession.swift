import Checkpointing
import Configuration
import Doctor
import Evaluation
import Foundation
import Glibc
import Logging
import MPI
import Planning
import Reporting
import Runtime
import Supervision

/// One start of a study: what `icp sweep` does. The ranks are cut into groups; each takes a run, makes it as `icp
/// train` would, and takes the next, until none is left.
package final class SweepSession {
  let sweep: Sweep
  private let world: Communicator
  let group: Communicator
  private let bell: StopBell
  let supervision: Supervision
  var folder: StudyFolder
  let console = Console(every: 1, isTerminal: false)
  let total = Stopwatch()
  var finishedAtStart = 0

  /// Every rank calls it.
  package init(
    _ sweep: Sweep, directory: String, redoing: Bool = false, retrying: Bool = false, communicator: Communicator
  ) throws {
    self.sweep = sweep
    world = communicator
    guard world.size % sweep.ranksPerRun == 0 else {
      throw SharedError(
        exitCode: ExitCode.usage,
        description:
          "\(counted(world.size, "rank")) cannot be cut into groups of 'ranks_per_run' \(sweep.ranksPerRun): start "
          + "\(max(1, world.size / sweep.ranksPerRun) * sweep.ranksPerRun)")
    }
    folder = try world.collectively { StudyFolder(path: directory, sweep: sweep, runs: try sweep.runs()) }
    ConsoleLogHandler.install(console: nil)
    bell = try StopBell(world)
    let folder = folder
    try world.collectively {
      if communicator.rank == 0 { try folder.prepare(redoing: redoing, retrying: retrying) }
    }
    group = try world.group(of: sweep.ranksPerRun)
    let (group, bell) = (group, bell)
    // What fails in one group only is every group's end.
    supervision = try world.collectively {
      try Supervision(group, limit: nil, bell: bell)
    }
  }

  /// Throws, on every rank alike, where a run has failed, or the study was stopped.
  package func run() throws {
    defer { supervision.end() }
    try warn()
    finishedAtStart = try group.rank == 0 ? folder.finishedCount() : 0
    if world.rank == 0 {
      if let about = sweep.about { console.line(about) }
      console.line(
        "\(sweep.source.name): \(counted(folder.runs.count, "run")), \(finishedAtStart) of them done before, "
          + "\(world.size / group.size) at a time, into \(folder.path)")
      for note in try folder.twins() { console.line("warning: \(note)") }
    }
    let ending = try takeRuns()
    supervision.beginRun(limit: nil)
    try world.barrier { try idle() }
    let endings = try gather(ending)
    try world.collectively {
      if world.rank == 0 { try report() }
    }
    try check(endings)
  }

  private func takeRuns() throws -> SweepEnding {
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
  private func told(_ ending: SweepEnding) throws -> SweepEnding {
    guard case .broken(_, let cause) = ending else { return ending }
    if group.rank == 0, world.size > group.size { console.line("the sweep ends, other runs are saved: \(cause)") }
    try bell.ring()
    return ending
  }

  /// Keeps the watchdog quiet and listens for a request to stop.
  private func idle() throws {
    supervision.clock.beat()
    _ = try bell.isRung()
  }

  /// The group's first rank decides, and the others hear it.
  private func decide() throws -> SweepStep {
    var step = SweepStep.wait
    if group.rank == 0 {
      do {
        step = try bell.isRung() ? .end(.stopped) : folder.next()
      } catch let error as MPIError {
        throw error
      } catch {
        step = .end(.broken(ExitCode.of(error) ?? ExitCode.internalError, "\(error)"))
      }
    }
    return try step.shared(with: group)
  }

  // MARK: Beginning and end

  /// Of the launch and the hosts, once and not with every run; what the first run's configuration comes to is its own
  /// to say.
  private func warn() throws {
    let first = folder.runs.first.flatMap { try? $0.configuration.startingPoint().configuration }
    // All ranks of a group fail alike, so none waits for another.
    let indexes = first.flatMap { try? group.pictureIndexes($0, supervision.clock) } ?? [:]
    let plan = try? first.map { try RunPlan($0, ranks: group.size, indexes: indexes) }
    let isThere = try world.minimum([plan == nil ? 0 : 1])[0] == 1
    guard isThere, let plan else { return }
    try Preflight.warn(
      about: plan, RankMemory(plan, ranks: group.size), rank: group.rank, communicator: world,
      logger: Logger(label: "icp"))
  }

  private func gather(_ ending: SweepEnding) throws -> [SweepEnding] {
    var text = ""
    if case .broken(_, let cause) = ending, group.rank == 0 { text = cause }
    let record = [UInt8(ending.status)] + Array(text.utf8)
    return try world.gatherVarying(record).enumerated().compactMap { rank, bytes in
      rank % group.size == 0
        ? SweepEnding(status: Int32(bytes[0]), text: String(decoding: bytes.dropFirst(), as: UTF8.self)) : nil
    }
  }

  /// What is done so far, as tables.
  private func report() throws {
    // Not those that a search by halving has dropped.
    let wanted = folder.wanted()
    let outline = StudyOutline(sweep, runs: wanted.map { folder.runs[$0] })
    if wanted.count < folder.runs.count {
      try StudyFile.write(StudyFile.json(outline), to: "\(folder.path)/\(StudyOutline.name)")
    }
    let runs = wanted.compactMap { StudyRun(note: folder.directory($0)) }
    let comparison = Comparison(runs: runs, outline: outline, unfinished: wanted.count - runs.count)
    try comparison.write(to: folder.path)
    let chosen = try sweep.search.map { try comparison.writeChosen($0, sweep, to: folder.path) } ?? []
    console.line(
      "\n\(comparison.markdown)\nwritten to \(folder.path)/results.md, results.csv, runs.csv, results.json and plots/"
        + chosen.map { "\nchosen: \($0)" }.joined())
  }

  private func check(_ endings: [SweepEnding]) throws {
    for case .broken(let status, let cause) in endings { throw SharedError(exitCode: status, description: cause) }
    if endings.contains(.stopped) {
      throw SharedError(
        exitCode: ExitCode.stopped,
        description: "stopped on request; what was under way is saved, the same command goes on from there")
    }
    // Rank 0 knows: others may see a file system that is late.
    let failed = try world.collectively {
      world.rank == 0
        ? folder.runs.indices.compactMap { index in RunNote.read(folder.directory(index))?.exitStatus } : []
    }
    let counts = try world.maximum([Int64(failed.count), Int64(failed.first ?? 0)])
    guard counts[0] > 0 else { return }
    throw SharedError(
      exitCode: Int32(counts[1]),
      description:
        "\(counts[0]) of \(counted(folder.runs.count, "run")) failed: see \(RunNote.failed) in their directories; "
        + "--retry-failed tries them again")
  }
}
