import ArgumentParser
import Checkpointing
import Configuration
import Evaluation
import Files
import Reporting

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify pictures with a trained network.",
    discussion: """
      INPUT is one of these:
        a picture, JPEG or PNG
        a folder with pictures in it and below
        an .npy array or an .npz archive of bytes: N x height x width [x 3]

      Pictures are resized as the run's test images were.

        icp predict RUN cat.jpg dog.png
        icp predict RUN pictures/ --csv > predictions.csv
      """)

  @Argument(help: ArgumentHelp("A run's directory.", valueName: "run"))
  var source: String

  @Argument(help: ArgumentHelp("Pictures, folders, arrays.", valueName: "input"))
  var inputs: [String]

  @Option(
    help: ArgumentHelp(
      "The run's newest checkpoint (the default), its best, or this file.", valueName: "last|best|file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp(
      "The weights of the checkpoint's step, or their average (training.ema).", valueName: "plain|ema"))
  var weightsKind = WeightsKind.plain

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Overrides one key, such as data.evaluation.resize. May be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Flag(help: "A line an image: input, predicted class, its probability, and the probability of each class.")
  var csv = false

  @Flag(help: "A JSON object a line for each image: input label name probability probabilities.")
  var json = false

  func validate() throws {
    if csv, json { throw ValidationError("--csv and --json: choose one") }
    if inputs.isEmpty { throw ValidationError("Missing expected argument '<input> ...'") }
  }

  func run() throws {
    let run = try TrainedRun(source, weights: nil, checkpoint: checkpoint.map { .init($0) })
    for note in run.notes { Fatal.write("icp: \(note)") }
    let configuration = try RunConfiguration.load(path: run.configuration, overrides: overrides, readsData: false)
    let weights = try WeightsFile(path: run.weights, kind: weightsKind)
    if let choice = weights.choice(by: "--weights-kind") { Fatal.write("icp: \(choice)") }
    let images = try inputs.flatMap { try PredictionInput.all($0) }
    let predictor = try Predictor(configuration, weights: weights)
    let lines = PredictionLines(classNames: predictor.classNames, form: csv ? .csv : json ? .json : .text)
    if let header = lines.header { try StandardOutput.print(header, terminator: "") }
    try predictor.predict(images) { try StandardOutput.print(lines.line($0, $1), terminator: "") }
  }
}
