import ArgumentParser
import Evaluation
import Files
import MPI
import Supervision

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure weights on the test set.",
    discussion: """
      Prints accuracy, loss, macro precision, recall and F1, calibration, and a line a class.
      From 20 classes on, top 5 too.
      Each test sample counts once, so the figures are the same at any number of ranks.

        icp evaluate RUN
        icp evaluate RUN --checkpoint best --json
        icp evaluate CONFIG --weights FILE
      """)

  @OptionGroup var trained: TrainedRunArguments

  @Flag(
    help: """
      One JSON object: accuracy balanced_accuracy loss precision recall f1 ece per_class confusion class_names; \
      top5_accuracy from 20 classes on; above 100 confusion_entries ([class, predicted, samples]) in place of confusion.
      """)
  var json = false

  func run() throws {
    try Ranks.run { communicator in
      let (configuration, weights) = try trained.load(communicator)
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let rounds = SharedRounds(communicator, supervision)
      let metrics = try rounds.evaluate(weights: weights, kind: trained.weightsKind, by: configuration)
      try StandardOutput.print(json ? metrics.json : metrics.text, from: communicator)
    }
  }
}
