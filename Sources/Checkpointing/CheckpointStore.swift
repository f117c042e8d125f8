import Files
import Formats
import Glibc
import Runtime

/// The checkpoints of a run directory: `step-NNNNNNN.safetensors`, the newest few, and `best.safetensors`.
///
/// No file says which is the newest, since it could be stale: the directory is listed, and what verifies counts.
package struct CheckpointStore {
  /// A checkpoint that verified, and what had to be passed over to find it.
  package struct ResumePoint: Sendable {
    package let snapshot: Snapshot
    package let step: Int
    package let path: String
    /// "path: reason" of every newer one that is bad, newest first.
    package let skipped: [String]
  }

  /// What a save did.
  package struct Saved: Sendable {
    package let path: String
    /// What did not work but cost nothing, such as an old checkpoint that could not be removed.
    package let warnings: [String]
  }

  private let directory: String
  private let keep: Int
  private let system: System
  /// The best metric so far and its step. In every checkpoint's metadata too, so that a resumed run knows it.
  package private(set) var best: (metric: Double, step: Int)?
  /// What the best is judged by, `checkpoint.metric`: values of two metrics cannot be compared.
  private let metricName: String?
  /// The best could not be named yet: its file stays, and the next save tries again.
  private var bestLacksName = false
  /// The newest step of this run whose checkpoint is here.
  private var newest: Int?

  /// - Parameter keep: how many of the newest checkpoints stay, at least one.
  ///   - metric: the name of what `save` is given as such.
  package init(directory: RunDirectory, keep: Int, metric: String? = nil, system: System = System()) {
    metricName = metric
    precondition(keep >= 1, "at least one checkpoint must stay")
    self.directory = directory.checkpointsPath
    self.keep = keep
    self.system = system
  }

  /// Of a run that is read alone, at the path of its directory: no lock is taken, and nothing may be saved.
  package init(reading run: String) {
    metricName = nil
    directory = "\(run)/\(RunDirectory.checkpointsName)"
    keep = 1
    system = System()
  }

  /// Whether a run has left anything here that starting over would mix with.
  package var hasCheckpoints: Bool {
    get throws(FileError) {
      try !steps().isEmpty || access(bestPath, F_OK) == 0
    }
  }

  static let bestName = "best.safetensors"
  package var bestPath: String { "\(directory)/\(Self.bestName)" }

  package func path(step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, 7 - digits.utf8.count))
    return "\(directory)/step-\(zeros)\(digits).safetensors"
  }

  /// Saves a step's snapshot; when it returns, a power cut cannot undo it. On an error no earlier checkpoint is lost.
  package mutating func save(_ snapshot: Snapshot, step: Int) throws(SaveError) -> Saved {
    var snapshot = snapshot
    snapshot.metadata["step"] = String(step)
    snapshot.metadata["best_metric"] = best.map { String($0.metric) }
    snapshot.metadata["best_step"] = best.map { String($0.step) }
    snapshot.metadata["best_metric_name"] = metricName
    let path = path(step: step)
    do throws(SystemError) {
      try AtomicFile(system: system).replace(path, with: CheckpointFormat.encode(snapshot), verified: true)
    } catch { throw SaveError(error) }
    newest = step
    if bestLacksName { try? nameBest() }
    return Saved(path: path, warnings: prune(newest: step))
  }

  /// Gives the checkpoint of `step`, the newest, the name `best.safetensors` too, where its metric is the best so far.
  /// Where that checkpoint could not be saved there is nothing to name.
  /// - Parameters:
  ///   - metric: what "best" is judged by; what is not finite is never the best.
  ///   - higherIsBetter: true of accuracies, false of losses.
  package mutating func judge(step: Int, metric: Double, higherIsBetter: Bool) throws(SaveError) {
    guard newest == step, improves(metric, higherIsBetter: higherIsBetter) else { return }
    best = (metric, step)
    bestLacksName = true
    do throws(SystemError) { try nameBest() } catch { throw SaveError(error) }
  }

  /// The newest checkpoint that verifies, or nil where there is none at all.
  /// - Parameter advice: what the user can do where all are bad.
  /// - Throws: where there are some but all are bad. A run must not start over silently then.
  package func newestValid(advice: String = "use --resume never to start over") throws(FileError) -> ResumePoint? {
    var skipped: [String] = []
    for step in try steps().reversed() {
      let path = path(step: step)
      do throws(FileError) {
        let snapshot = try Self.load(path: path, followLinks: false)
        guard snapshot.metadata["step"] == String(step) else {
          throw FileError(
            path: path, reason: "holds step \(quoted(snapshot.metadata["step"] ?? "?")), not \(step)")
        }
        return ResumePoint(snapshot: snapshot, step: step, path: path, skipped: skipped)
      } catch { skipped.append(error.description) }
    }
    guard !skipped.isEmpty else { return nil }
    throw FileError(
      path: directory,
      reason:
        "none of the \(counted(skipped.count, "checkpoint")) can be used (\(skipped.joined(separator: "; "))); \(advice)"
    )
  }

  /// Whether a file is one of ours, by any of the names that its checksums have: damage may have changed one of them.
  package static func hasChecksums(_ file: SafetensorsFile) -> Bool { CheckpointFormat.hasChecksums(file) }

  /// Reads one checkpoint, checking its format version and every checksum.
  /// - Parameter followLinks: true for a path the user named, false for what lies in a run directory.
  package static func load(path: String, followLinks: Bool = true) throws(FileError) -> Snapshot {
    return try CheckpointFormat.decode(SafetensorsFile(path: path, followLinks: followLinks))
  }

  /// The same of a checkpoint's bytes, as another rank read them from `path`.
  package static func decode(bytes: [UInt8], path: String) throws(FileError) -> Snapshot {
    return try CheckpointFormat.decode(SafetensorsFile(bytes: bytes, path: path))
  }

  /// Goes on from a loaded checkpoint: takes over its best, and sets later checkpoints aside (renamed to
  /// `*.superseded`), since the run that made them is no longer this one and the next resume must not return to it.
  /// A best of another metric is set aside too.
  /// - Parameter path: where it was read, which may be in another run's directory.
  /// - Returns: what was set aside.
  package mutating func resume(from snapshot: Snapshot, step: Int, path found: String) throws(SaveError) -> [String] {
    let metadata = snapshot.metadata
    let isSameMetric = metadata["best_metric_name"].map { $0 == metricName } ?? true
    best =
      !isSameMetric
      ? nil
      : metadata["best_metric"].flatMap(Double.init).flatMap { metric in
        metadata["best_step"].flatMap { Int($0) }.map { (metric, $0) }
      }
    bestLacksName = false
    newest = [path(step: step), bestPath].contains { Self.isSameFile($0, found) } ? step : nil
    do throws(SystemError) {
      let later = try listedSteps().filter { $0 > step }.map { path(step: $0) }
      for path in later {
        try system.call("rename", path) { rename(path, "\(path).superseded") }
      }
      // A kill between saving the best step and naming it best leaves an older one, or none, under that name.
      let named = (try? Self.load(path: bestPath, followLinks: false))?.metadata["step"]
      // The step itself was found the best before a kill. Its evaluation comes again, and finds the same.
      if isSameMetric, let newest, named == String(newest) { return later }
      if let best, named != String(best.step),
        (try? Self.load(path: path(step: best.step), followLinks: false)) != nil
      {
        try makeBest(path(step: best.step))
      }
      // The best of another run, or of steps that are set aside, is not this run's.
      guard (try? Self.load(path: bestPath, followLinks: false))?.metadata["step"] != best.map({ String($0.step) })
      else {
        return later
      }
      best = nil
      guard access(bestPath, F_OK) == 0 else { return later }
      let stale = bestPath
      try system.call("rename", stale) { rename(stale, "\(stale).superseded") }
      return later + [stale]
    } catch { throw SaveError(error) }
  }

  /// Removes every checkpoint, the best and those set aside too, for a run that starts over.
  package mutating func removeAll() throws(SaveError) {
    best = nil
    do throws(SystemError) {
      for name in try system.list(directory) where Self.isOurs(name) {
        let path = "\(directory)/\(name)"
        try system.call("unlink", path) { unlink(path) }
      }
      try system.synchronizeDirectory(directory)
    } catch { throw SaveError(error) }
  }
}

extension CheckpointStore {
  private func improves(_ metric: Double, higherIsBetter: Bool) -> Bool {
    guard metric.isFinite else { return false }
    guard let best else { return true }
    return higherIsBetter ? metric > best.metric : metric < best.metric
  }

  private static func isSameFile(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }

  private mutating func nameBest() throws(SystemError) {
    let file = path(step: best!.step)
    // There is none where the run goes on from best.safetensors itself.
    if access(file, F_OK) == 0 { try makeBest(file) }
    bestLacksName = false
  }

  private func makeBest(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try AtomicFile(system: system).replace(bestPath, withLinkTo: path)
    } catch  where [EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EACCES].contains(error.code) {
      // A file system without hard links: copy.
      guard let file = try? SafetensorsFile(path: path, followLinks: false) else { throw error }
      try AtomicFile(system: system).replace(bestPath, with: file.contents, verified: true)
    }
  }

  /// Keeps the newest `keep`, by listing rather than by counting, so that a run's restarts do not add up. Only now
  /// may an old one go: the newest is verified and durable. The best has a name of its own.
  private func prune(newest: Int) -> [String] {
    do throws(SystemError) {
      let old = try listedSteps().filter { $0 < newest }.dropLast(keep - 1)
      for step in old where !bestLacksName || step != best?.step {
        let path = path(step: step)
        try system.call("unlink", path) { unlink(path) }
      }
      return []
    } catch { return ["an old checkpoint stays: \(error)"] }
  }

  private func steps() throws(FileError) -> [Int] {
    do throws(SystemError) {
      return try listedSteps()
    } catch { throw FileError(path: error.path, reason: error.description) }
  }

  /// Ascending.
  private func listedSteps() throws(SystemError) -> [Int] {
    try system.list(directory).compactMap { Self.step(of: $0) }.sorted()
  }

  /// A checkpoint's name, the best's or that of one set aside: of files that a run which starts over removes.
  package static func isOurs(_ name: String) -> Bool {
    [bestName, "\(bestName).superseded"].contains(name) || step(of: name) != nil
      || step(of: name, suffix: ".safetensors.superseded") != nil
  }

  /// 40 of "step-0000040.safetensors"; nil of any other name, also of one that we would not give.
  package static func step(of name: String, suffix: String = ".safetensors") -> Int? {
    guard name.hasPrefix("step-"), name.hasSuffix(suffix) else { return nil }
    let digits = name.dropFirst("step-".count).dropLast(suffix.count)
    guard digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let step = Int(digits),
      digits.utf8.count == max(7, String(step).utf8.count)
    else { return nil }
    return step
  }
}
