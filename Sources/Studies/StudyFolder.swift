import Configuration
import Files
import Foundation
import Reporting
import Runtime

/// The runs of a sweep on the disk, as the groups of ranks see them: which are done, which can be taken.
///
/// A group takes a run by an flock on `.claim` in its directory. That holds between hosts that share the file system,
/// and between two jobs at work on one study; the kernel lets go of it when its holder is killed; and whether a run is
/// done is a file, so that nothing has to be served by a rank that computes.
struct StudyFolder {
  let path: String
  let sweep: Sweep
  let runs: [SweepRun]
  private(set) var isFinished: [Bool]
  /// In a search by halving, the trials that a rung runs, by point, variant and rung, as far as that is known.
  var remaining: [String: [String]] = [:]

  init(path: String, sweep: Sweep, runs: [SweepRun]) {
    self.path = path
    self.sweep = sweep
    self.runs = runs
    isFinished = Array(repeating: false, count: runs.count)
  }

  func directory(_ index: Int) -> String { "\(path)/\(runs[index].name)" }

  /// The next run that can be taken, and is taken by that.
  mutating func next() throws -> SweepStep {
    var isWaiting = false
    for index in runs.indices where !isFinished[index] {
      switch turn(index) {
      case .open: break
      case .waiting:
        isWaiting = true
        continue
      case .dropped:
        isFinished[index] = true
        continue
      }
      guard let factor = try epochsFactor(index) ?? measuredFactor(index) else {
        isWaiting = isWaiting || !isFinished[index]
        continue
      }
      let configuration = try runs[index].configuration(epochsFactor: factor)
      if hasNote(index, configuration) {
        isFinished[index] = true
        continue
      }
      guard let lock = try claim(directory(index)) else {
        isWaiting = true
        continue
      }
      // It may have been finished since it was looked at.
      guard !hasNote(index, configuration) else { continue }
      return .run(index, epochsFactor: factor, lock)
    }
    return isWaiting ? .wait : .end(.done)
  }

  func hasNote(_ index: Int, _ configuration: RunConfiguration) -> Bool {
    guard let note = RunNote.read(directory(index)), note.labelFile == configuration.labelFileChecksum else {
      return false
    }
    let wanted = configuration.studyChecksum
    // Read again, for a program that has got keys since: their defaults change no run.
    return note.configuration == wanted || (try? saved(index))?.leavingOpen(what: configuration).studyChecksum == wanted
  }

  /// The configuration of a run on the disk; nil where there is none.
  func saved(_ index: Int) throws -> RunConfiguration? {
    let file = "\(directory(index))/config.yaml"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    return try RunConfiguration(yaml: ConfigurationFile.read(file), name: file)
  }

  /// How many are done or have failed.
  mutating func finishedCount() throws -> Int {
    for index in runs.indices where !isFinished[index] {
      if case .dropped = turn(index) {
        isFinished[index] = true
      } else {
        isFinished[index] = hasNote(index, try configuration(index) ?? runs[index].configuration)
      }
    }
    return isFinished.count { $0 }
  }

  /// `--dry-run`: what would run.
  package mutating func description() throws -> String {
    _ = try finishedCount()
    var turns = self
    let rows = runs.indices.map { index in
      let run = runs[index]
      let epochs = run.equalComputeWith.map { "as \($0) costs" } ?? "\(run.configuration.training.epochs)"
      var state = RunNote.read(directory(index))?.exitStatus == nil ? "done" : "failed"
      switch turns.turn(index) {
      case .open: break
      case .waiting: state = "undecided"
      case .dropped: state = "dropped"
      }
      return [run.name, epochs, isFinished[index] || state == "undecided" ? state : ""]
    }
    return Table.text(header: ["run", "epochs", "state"], rows: rows) + "\n\n\(counted(rows.count, "run"))"
  }

  /// Variants of a point that are the same run under two names, as a slip or a drawn trial may be.
  func twins() throws -> [String] {
    var first: [String: SweepRun] = [:]
    return runs.filter { $0.seed == sweep.seeds[0] && $0.equalComputeWith == nil }.compactMap { run in
      let other = first.updateValue(run, forKey: "\(run.point.name) \(run.configuration.studyChecksum)")
      return other.map {
        "'\(run.variant)' has the configuration of '\($0.variant)'\(run.point.title.isEmpty ? "" : " at \(run.point.title)")"
      }
    }
  }

  /// Nil where another process has it.
  func claim(_ directory: String) throws -> RunLock? {
    do {
      try System().makeDirectories(directory)
      let lock = try RunLock(path: "\(directory)/.claim", patience: 0, system: System())
      guard lock.missing == nil else {
        throw SaveError(
          path: directory, reason: "this file system has no locks, by which groups of ranks share out the runs",
          advice: "choose another place with --directory")
      }
      return lock
    } catch is LockedError {
      return nil
    } catch let error as SystemError {
      throw SaveError(error, option: "--directory")
    }
  }

  // MARK: Equal compute

  /// What the epochs of a run are times, as far as that is known by now: nil where a measurement is to come.
  private func epochsFactor(_ index: Int) throws -> Double? {
    runs[index].equalComputeWith == nil ? 1 : CostRatio(file: costFile(runs[index]))?.ratio
  }

  /// Nil as long as it is not known how many epochs make a run's compute equal.
  func configuration(_ index: Int) throws -> RunConfiguration? {
    try epochsFactor(index).map { factor in try runs[index].configuration(epochsFactor: factor) }
  }

  func costFile(_ run: SweepRun) -> String {
    "\(path)/\([run.point.name, run.variant].filter { !$0.isEmpty }.joined(separator: "/"))/equal-compute.json"
  }

  /// Measures once all runs of the baseline and the other variant at the point are done, and keeps it: all seeds get
  /// the same number of epochs, and a study that is started again does too. Where none of those runs tells what a step
  /// costs, since they failed or their records are lost, this run has failed, too.
  private mutating func measuredFactor(_ index: Int) throws -> Double? {
    let (run, file) = (runs[index], costFile(runs[index]))
    let variant = run.equalComputeWith!
    let sources = indices(sweep.baseline!, run.point) + indices(variant, run.point)
    guard sources.allSatisfy({ hasNote($0, runs[$0].configuration) }) else { return nil }
    // Whoever comes first decides; others read what that one wrote.
    guard let lock = try claim(System.parentDirectory(file)) else { return nil }
    defer { withExtendedLifetime(lock) {} }
    if let ratio = CostRatio(file: file) { return ratio.ratio }
    guard let own = computePerStep(sweep.baseline!, run.point), own > 0, let others = computePerStep(variant, run.point)
    else {
      let cause = "no run of '\(variant)', or none of the baseline, was completed: what it costs is not known"
      return try fail(index, cause)
    }
    let ratio = CostRatio(
      ratio: others / own, variant: variant, baseline: sweep.baseline!, secondsPerStep: others,
      baselineSecondsPerStep: own)
    // A run of another length may be refused, as one that is shorter than its warm-up.
    do { _ = try run.configuration(epochsFactor: ratio.ratio) } catch { return try fail(index, "\(error)") }
    try StudyFile.write(StudyFile.json(ratio), to: file)
    return ratio.ratio
  }

  /// Records that a run cannot be made, under the lock of its variant.
  private mutating func fail(_ index: Int, _ cause: String) throws -> Double? {
    try RunNote(runs[index], runs[index].configuration, exitStatus: ExitCode.usage, error: cause)
      .write(to: directory(index))
    isFinished[index] = true
    return nil
  }

  private func indices(_ variant: String, _ point: Sweep.Point) -> [Int] {
    runs.indices.filter { runs[$0].variant == variant && runs[$0].point.name == point.name }
  }

  /// The median of a variant's runs that are done at a point.
  private func computePerStep(_ variant: String, _ point: Sweep.Point) -> Double? {
    Statistics.median(indices(variant, point).compactMap { StudyRun(note: directory($0))?.computePerStep })
  }
}

/// What a step of a variant costs, in steps of the baseline.
struct CostRatio: Codable {
  var ratio: Double
  var variant: String
  var baseline: String
  var secondsPerStep: Double
  var baselineSecondsPerStep: Double
}

extension CostRatio {
  init?(file: String) {
    guard let ratio = StudyFile.read(CostRatio.self, file), ratio.ratio > 0, ratio.ratio < 1e4 else { return nil }
    self = ratio
  }
}
