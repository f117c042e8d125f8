import ArgumentParser
import Checkpointing
import Configuration
import MPI
import Reporting

/// What every command takes that uses trained weights: a run, or a configuration and weights.
struct TrainedRunArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A run's directory; or a configuration, with --weights.", valueName: "run|config"))
  var source: String

  @Option(
    help: ArgumentHelp(
      "Beside a configuration: a checkpoint, a PyTorch state_dict saved as safetensors, or an ONNX file.",
      valueName: "file"))
  var weights: String?

  @Option(
    help: ArgumentHelp(
      "Of a run: its newest checkpoint (the default), its best, or this file.", valueName: "last|best|file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp(
      "Of a checkpoint, the weights of its step or their average (training.ema).", valueName: "plain|ema"))
  var weightsKind = WeightsKind.plain

  @OptionGroup var overriding: OverrideArguments

  /// The files, which are told on standard error where the program chose them.
  func find() throws -> TrainedRun {
    let run = try TrainedRun(source, weights: weights, checkpoint: checkpoint.map { .init($0) })
    for note in run.notes { Fatal.write("icp: \(note)") }
    return run
  }

  /// The configuration and the path of the weights, the same on every rank: rank 0 chooses, since a run that is under
  /// way may save between two looks.
  func load(_ communicator: Communicator) throws -> (configuration: RunConfiguration, weights: String) {
    let found = try communicator.collectively { communicator.rank == 0 ? try find() : nil }
    func shared(_ path: KeyPath<TrainedRun, String>) throws -> String {
      String(decoding: try communicator.broadcast(Array((found?[keyPath: path] ?? "").utf8), from: 0), as: UTF8.self)
    }
    let (config, weights) = (try shared(\.configuration), try shared(\.weights))
    let configuration = try communicator.collectively {
      try RunConfiguration.load(path: config, overrides: overriding.all)
    }
    return (configuration, weights)
  }
}

extension WeightsKind: ExpressibleByArgument {}
