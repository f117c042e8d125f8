import Files
import Runtime

/// A configuration and the weights that go with it, as a command line names them: a run's directory, or a
/// configuration's file beside a file of weights. Every command that measures weights finds them here.
package struct TrainedRun: Equatable, Sendable {
  /// Which checkpoint of a run.
  package enum Checkpoint: Equatable, Sendable {
    /// The newest that verifies.
    case last
    /// The best by `checkpoint.metric`.
    case best
    case file(String)

    /// `last`, `best`, or else a path; `./best` is a file of that name.
    package init(_ text: String) {
      switch text {
      case "last": self = .last
      case "best": self = .best
      default: self = .file(text)
      }
    }
  }

  /// The run's directory; nil of a configuration with weights.
  package let directory: String?
  /// The file of the configuration.
  package let configuration: String
  /// The file of the weights.
  package let weights: String
  /// What was chosen, and what was passed over: a line each, to be told before the result. Empty where the user named
  /// both files.
  package let notes: [String]

  /// - Parameters:
  ///   - path: the directory of a run, or a configuration's file.
  ///   - weights: a file, needed beside a configuration's file and refused beside a run.
  ///   - checkpoint: which of a run's; nil takes the newest.
  /// - Throws: UsageError where these do not go together, FileError where the run has no such checkpoint.
  package init(_ path: String, weights: String?, checkpoint: Checkpoint?) throws {
    guard FileKind(path, followingLinks: true) == .directory else {
      guard checkpoint == nil else {
        throw UsageError("\(path): --checkpoint chooses one of a run's, and this is no run's directory")
      }
      guard let weights else {
        throw UsageError(
          FileKind(path, followingLinks: true) == nil
            ? "\(path): no such file or directory; expected a run's directory, or a configuration with --weights FILE"
            : "\(path): a configuration needs --weights FILE; or name a run's directory in its place")
      }
      directory = nil
      configuration = path
      self.weights = weights
      notes = []
      return
    }
    let run = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    configuration = "\(run)/\(RunDirectory.configName)"
    guard FileKind(configuration, followingLinks: true) != nil else {
      throw UsageError("\(path): is no run's directory: it has no \(RunDirectory.configName)")
    }
    guard weights == nil else {
      throw UsageError("\(path): a run has weights of its own; choose others with --checkpoint FILE")
    }
    directory = run
    (self.weights, notes) = try Self.find(checkpoint ?? .last, in: run)
  }

  private static func find(_ checkpoint: Checkpoint, in run: String) throws -> (path: String, notes: [String]) {
    let store = CheckpointStore(reading: run)
    switch checkpoint {
    case .file(let path):
      return (path, ["\(run): takes \(path)"])
    case .best:
      guard FileKind(store.bestPath, followingLinks: true) != nil else {
        throw FileError(
          path: store.bestPath, reason: "there is no best checkpoint; the newest is --checkpoint last")
      }
      let step = try CheckpointStore.load(path: store.bestPath).metadata["step"]
      return (store.bestPath, ["\(run): takes \(store.bestPath), the best\(step.map { " (step \($0))" } ?? "")"])
    case .last:
      guard FileKind("\(run)/\(RunDirectory.checkpointsName)", followingLinks: true) != nil,
        let found = try store.newestValid(advice: "name one with --checkpoint FILE")
      else {
        let best = FileKind(store.bestPath, followingLinks: true) != nil
        throw FileError(
          path: run,
          reason: best
            ? "has no checkpoint of a step, but its best: --checkpoint best"
            : "has no checkpoint yet; name a file of weights with --checkpoint FILE")
      }
      let choice = "\(run): takes \(found.path), the newest (step \(found.step))"
      return (found.path, found.skipped.map { "warning: passed over: \($0)" } + [choice])
    }
  }
}
