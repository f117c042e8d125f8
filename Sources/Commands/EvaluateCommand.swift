import ArgumentParser
import Evaluation
import Files
import MPI
import Supervision

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract:
      "Measure weights on the test set: accuracy, loss, macro precision, recall and F1, calibration, per class.",
    discussion: "The same figures at any number of ranks: each test sample counts once, and sums are exact.")

  @OptionGroup var source: ConfigurationArguments

  @Option(
    help: ArgumentHelp("A checkpoint, a PyTorch state_dict saved as safetensors, or an ONNX file.", valueName: "file"))
  var weights: String

  @Flag(help: "One JSON object: accuracy loss precision recall f1 ece per_class confusion.")
  var json = false

  func run() throws {
    try Ranks.run { communicator in
      let configuration = try communicator.collectively { try source.load() }
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let rounds = SharedRounds(communicator, supervision)
      let metrics = try rounds.evaluate(weights: weights, by: configuration)
      try StandardOutput.print(json ? metrics.json : metrics.text, from: communicator)
    }
  }
}
