import Files
import Glibc

/// The directory a run leaves: `config.yaml`, `metrics.jsonl`, `checkpoints/`. Only rank 0 makes one, and while it
/// lives no other process writes there.
package final class RunDirectory {
  package static let configName = "config.yaml"
  package static let labelsName = "labels.csv"
  private static let metricsName = "metrics.jsonl"
  package static let traceName = "trace.json"
  /// With `logging.tensorboard`; TensorBoard knows such files by the beginning of their names.
  package static let eventsName = "events.out.tfevents.0000000000.icp"
  private static let lockName = ".lock"
  static let checkpointsName = "checkpoints"

  package let path: String
  /// What the user should be told about this directory, once.
  package let warnings: [String]
  private let lock: RunLock
  private let system: System

  package var checkpointsPath: String { "\(path)/\(Self.checkpointsName)" }
  package var metricsPath: String { "\(path)/\(Self.metricsName)" }
  package var tracePath: String { "\(path)/\(Self.traceName)" }
  package var eventsPath: String { "\(path)/\(Self.eventsName)" }
  package var configPath: String { "\(path)/\(Self.configName)" }

  /// Creates what is missing, takes the lock and removes what a killed writer left.
  /// - Parameter patience: seconds to wait for another run to let go.
  /// - Throws: ``SaveError`` where this directory cannot be written or is not a run's, ``LockedError`` where another
  ///   run holds it.
  package init(path: String, patience: Double = 5, system: System = System()) throws {
    // A write beyond `ulimit -f` should be an error that we report, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    self.path = path
    self.system = system
    try Self.check(path)
    do {
      try system.makeDirectories(path)
      lock = try RunLock(path: "\(path)/\(Self.lockName)", patience: patience, system: system)
      let checkpoints = "\(path)/\(Self.checkpointsName)"
      try system.makeDirectories(checkpoints)
      // Removing and renaming need the directories' own permission, which opening the lock does not show.
      for directory in [path, checkpoints] {
        try system.call("access", directory) { access(directory, W_OK | X_OK) }
        for name in try system.list(directory) where Self.isLeftover(name) {
          let leftover = "\(directory)/\(name)"
          guard FileKind(leftover) == .regular else { continue }
          try system.call("unlink", leftover) { unlink(leftover) }
        }
      }
    } catch let error as SystemError {
      throw SaveError(error)
    }
    warnings = lock.missing.map { [$0] } ?? []
  }

  /// The name of a new directory: `path`, or the first of `path-2`, `path-3` ... that is free. It is made, so that two
  /// starts in the same second never get the same.
  package static func makeNew(_ path: String, system: System = System()) throws(SaveError) -> String {
    do throws(SystemError) {
      for number in 1..<1000 {
        let name = number == 1 ? path : "\(path)-\(number)"
        if try system.makeNewDirectory(name) { return name }
      }
      throw SystemError(call: "mkdir", path: path, code: EEXIST)
    } catch { throw SaveError(error) }
  }

  /// Throws where files that are not a run's would be touched at `path`, and changes nothing.
  package static func check(_ path: String, option: String = "--run-dir") throws(SaveError) {
    try OwnedFolder(
      path, option: option, files: [lockName, configName, metricsName, labelsName, eventsName, traceName],
      folders: [checkpointsName]
    ).check("a run directory") { isRun(path) }
  }

  /// By the lock that every run leaves. A copy may be without hidden files: then by the first record, or by the names
  /// of checkpoints. An empty lock is what a kill leaves of a run's first moment, or anybody's: it vouches for no other
  /// name.
  private static func isRun(_ path: String) -> Bool {
    switch RunLock.isOurs("\(path)/\(lockName)") {
    case true?: return true
    case nil
    where [configName, metricsName, labelsName, checkpointsName].allSatisfy({ FileKind("\(path)/\($0)") == nil }):
      return true
    default:
      let records = (try? RegularFile.prefix("\(path)/\(metricsName)", count: 16, followLinks: false)) ?? []
      if records.starts(with: #"{"kind":"step","#.utf8) || records.starts(with: #"{"kind":"epoch""#.utf8) {
        return true
      }
      let names = (try? System().list("\(path)/\(checkpointsName)")) ?? []
      return names.contains { CheckpointStore.step(of: $0) != nil }
    }
  }

  /// Writes a file of the run directory whole or not at all.
  package func write(_ text: String, to name: String) throws(SaveError) {
    do throws(SystemError) {
      try AtomicFile(system: system).replace("\(path)/\(name)", with: Array(text.utf8))
    } catch { throw SaveError(error) }
  }

  /// Renames a file to `NAME.superseded`, or the first of `NAME.superseded-2`, `-3` ... that is free. Returns its path.
  package func setAside(_ name: String) throws(SaveError) -> String {
    let file = "\(path)/\(name)"
    do throws(SystemError) {
      for number in 1..<1000 {
        let place = "\(file).superseded" + (number == 1 ? "" : "-\(number)")
        guard FileKind(place) == nil else { continue }
        try system.call("rename", file) { rename(file, place) }
        return place
      }
      throw SystemError(call: "rename", path: file, code: EEXIST)
    } catch { throw SaveError(error) }
  }

  /// Removes `labels.csv` of an earlier start, for a run without label noise; a file that is not as a run writes it
  /// stays.
  package func removeLabels(where isWritten: ([UInt8]) -> Bool) throws(SaveError) {
    let file = "\(path)/\(Self.labelsName)"
    guard let bytes = try? RegularFile.read(file, followLinks: false), isWritten(bytes) else { return }
    do throws(SystemError) {
      try system.call("unlink", file) { unlink(file) }
    } catch { throw SaveError(error) }
  }

  /// `NAME.tmp.PID`: a temporary file of ours, and of nobody alive, since we hold the lock.
  static func isLeftover(_ name: String) -> Bool {
    guard let mark = name.firstRange(of: ".tmp."), let process = Int(name[mark.upperBound...]), process > 0 else {
      return false
    }
    let file = String(name[..<mark.lowerBound])
    return written.contains(file) || CheckpointStore.step(of: file) != nil
  }

  /// Names of files that are replaced, but for checkpoints'; a study's note and the mark of `icp doctor` among them.
  private static let written: Set = [
    configName, labelsName, metricsName, eventsName, traceName, CheckpointStore.bestName, "result.json", "failed.json",
    ".doctor",
  ]

  /// Removes all that a run has written at `path`, and the directory where nothing else is left in it.
  /// - Parameter others: files of the caller's beside those of the run.
  package static func removeRun(_ path: String, others: [String]) throws(SaveError) {
    try check(path, option: "--directory")
    let system = System()
    do throws(SystemError) {
      let checkpoints = "\(path)/\(checkpointsName)"
      if FileKind(checkpoints) != nil {
        for name in try system.list(checkpoints) where CheckpointStore.isOurs(name) || isLeftover(name) {
          try system.call("unlink", name) { unlink("\(checkpoints)/\(name)") }
        }
        rmdir(checkpoints)
      }
      let own = Set([configName, metricsName, labelsName, eventsName, traceName] + others)
      for name in try system.list(path) where own.contains(name) || isLeftover(name) {
        try system.call("unlink", name) { unlink("\(path)/\(name)") }
      }
      // Where something of a user's stays, the lock shows the next run that the directory is ours.
      guard try system.list(path) == [lockName] else { return }
      try system.call("unlink", path) { unlink("\(path)/\(lockName)") }
      rmdir(path)
    } catch { throw SaveError(error, option: "--directory") }
  }
}
