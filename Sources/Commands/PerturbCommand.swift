import ArgumentParser
import Configuration
import Evaluation

struct PerturbCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perturb",
    abstract: "Refine images from a file by a configuration's rule.",
    discussion: """
      Reads no data set. Of the configuration only `model` and `icp` count.
      The rule `random` takes training.seed too. Shapes come from the input file.
      """)

  @OptionGroup var trained: TrainedRunArguments

  @Option(
    help: ArgumentHelp(
      "safetensors with x (N,C,H,W float32, already normalised) and y (N, int64).", valueName: "in"))
  var input: String

  @Option(
    help: ArgumentHelp(
      "Receives x refined and losses (T+1 values: batch mean at x_0 .. x_T).", valueName: "out"))
  var output: String

  @Flag(help: "Write x1 .. xT too.")
  var iterates = false

  @Option(
    help: ArgumentHelp(
      "Receives three PNG pictures an image: N-x0.png, N-xT.png, and N-difference.png, amplified.", valueName: "dir"))
  var pictures: String?

  func run() throws {
    let run = try trained.find()
    let configuration = try RunConfiguration.load(
      path: run.configuration, overrides: trained.overriding.all, readsData: false)
    try PerturbationSession(
      configuration: configuration, name: run.configuration, weights: run.weights, kind: trained.weightsKind
    ).run(input: input, output: output, iterates: iterates, pictures: pictures)
  }
}
