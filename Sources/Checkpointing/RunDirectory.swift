import Files
import Glibc

/// The directory a run leaves: `config.yaml`, `metrics.jsonl`, `checkpoints/`. Only rank 0 makes one, and while it
/// lives no other process writes there.
package final class RunDirectory {
  package let path: String
  /// What the user should be told about this directory, once.
  package let warnings: [String]
  private let lock: RunLock
  private let system: System

  package var checkpointsPath: String { "\(path)/checkpoints" }
  package var metricsPath: String { "\(path)/metrics.jsonl" }
  package var configPath: String { "\(path)/config.yaml" }

  /// Creates what is missing, takes the lock and removes what a killed writer left.
  /// - Parameter patience: seconds to wait for another run to let go.
  /// - Throws: ``SaveError`` where this directory cannot be written, ``LockedError`` where another run holds it.
  package init(path: String, patience: Double = 5, system: System = System()) throws {
    // A write beyond `ulimit -f` should be an error that we report, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    (self.path, self.system) = (path, system)
    do {
      try system.makeDirectories(path)
      lock = try RunLock(path: "\(path)/.lock", patience: patience, system: system)
      try system.makeDirectories("\(path)/checkpoints")
      // Removing and renaming need the directories' own permission, which opening the lock does not show.
      for directory in [path, "\(path)/checkpoints"] {
        try system.call("access", directory) { access(directory, W_OK | X_OK) }
        for name in try system.list(directory) where Self.isLeftover(name) {
          let leftover = "\(directory)/\(name)"
          try system.call("unlink", leftover) { unlink(leftover) }
        }
      }
    } catch let error as SystemError {
      throw SaveError(error)
    }
    warnings = lock.missing.map { [$0] } ?? []
  }

  /// Writes a file of the run directory whole or not at all; nil removes it.
  package func write(_ text: String?, to name: String) throws(SaveError) {
    do throws(SystemError) {
      guard let text else {
        if access("\(path)/\(name)", F_OK) == 0 {
          try system.call("unlink", "\(path)/\(name)") { unlink("\(path)/\(name)") }
        }
        return
      }
      try AtomicFile(system: system).replace("\(path)/\(name)", with: Array(text.utf8), verified: false)
    } catch { throw SaveError(error) }
  }

  /// `NAME.tmp.PID`: a temporary file of ours, and of nobody alive, since we hold the lock.
  static func isLeftover(_ name: String) -> Bool {
    guard let mark = name.firstRange(of: ".tmp.") else { return false }
    return Int(name[mark.upperBound...]) != nil
  }
}
