import ArgumentParser
import Checkpointing
import Files
import Reporting

/// What a command takes that reads one trained file, which says of itself what it is: the file, or a run.
struct TrainedFileArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A run's directory, or a file: a checkpoint, or what else is read.", valueName: "run|file"))
  var source: String

  @Option(
    help: ArgumentHelp(
      "Of a run: its newest checkpoint (the default), its best, or this file.", valueName: "last|best|file"))
  var checkpoint: String?

  /// The file's path; where the program chose it, it is told on standard error.
  func find() throws -> String {
    guard checkpoint != nil || FileKind(source, followingLinks: true) == .directory else { return source }
    let run = try TrainedRun(source, weights: nil, checkpoint: checkpoint.map { .init($0) })
    for note in run.notes { Fatal.write("icp: \(note)") }
    return run.weights
  }
}
