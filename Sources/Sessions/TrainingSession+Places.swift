import Checkpointing
import Configuration
import Files
import Foundation
import MPI
import Runtime

/// Where the run's files go.
extension TrainingSession {
  /// Rank 0 looks at what is where the run's files will go, before anything is read or made.
  func checkPlaces() throws {
    try communicator.collectively {
      guard communicator.rank == 0, let runDirectory else { return }
      try RunDirectory.check(runDirectory)
      try checkInputs(runDirectory)
    }
  }

  /// What the user gave is never written over or removed. The run's own configuration may be given again: it is written
  /// anew, with what `--set` says, as long as it holds nothing but what a run writes.
  private func checkInputs(_ directory: String) throws {
    func refuse(_ file: String, _ what: String) -> UsageError {
      UsageError("\(file): is \(what), which the run would replace; copy it elsewhere, or choose another --run-dir")
    }
    let file = "\(directory)/\(RunDirectory.configName)"
    if FileIdentity.same(name, file), try !RunConfiguration.isWritten(ConfigurationFile.read(file), name: file) {
      throw refuse(file, "the configuration that was given")
    }
    let labels = "\(directory)/\(RunDirectory.labelsName)"
    if let given = configuration.data.labelNoise.file, FileIdentity.same(given, labels) {
      throw refuse(labels, "data.label_noise.file")
    }
    guard resume == .never, let weights = configuration.model.startingWeights else { return }
    if FileIdentity.same(System.parentDirectory(weights), "\(directory)/checkpoints") {
      throw refuse(weights, "model.weights")
    }
  }

  /// Rank 0 opens the run directory: before the plan where there is something to resume from, else after it, so that a
  /// bad configuration leaves no directory.
  func openDirectory(toRead: Bool, unless opened: RunDirectory? = nil) throws -> RunDirectory? {
    try communicator.collectively {
      guard communicator.rank == 0, opened == nil else { return opened }
      if toRead {
        guard let runDirectory, resume != .never, FileKind("\(runDirectory)/checkpoints") != nil else { return nil }
      }
      let path = try runDirectory ?? RunDirectory.makeNew(Self.defaultDirectory(name), system: supervision.probe.system)
      return try RunDirectory(path: path, system: supervision.probe.system)
    }
  }

  /// Whether checkpoints have come into a directory that had none when this start looked, on every rank alike.
  func hasFilled(_ opened: RunDirectory?, since found: RunDirectory?) throws -> Bool {
    let isFilled = try communicator.collectively {
      guard let opened, found == nil, resume == .auto || resume == .unsaid else { return false }
      return try CheckpointStore(directory: opened, keep: configuration.checkpoint.keep).hasCheckpoints
    }
    return try communicator.maximum([isFilled ? 1 : 0])[0] == 1
  }

  private static func defaultDirectory(_ name: String) -> String {
    let file = name.split(separator: "/").last.map(String.init) ?? name
    let base = file.hasSuffix(".yaml") ? String(file.dropLast(5)) : file
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return "runs/\(base)-\(formatter.string(from: Date()))"
  }
}
