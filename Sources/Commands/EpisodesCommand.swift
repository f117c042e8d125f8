import ArgumentParser
import Evaluation
import Files
import MPI
import Supervision

extension EpisodeOptions.Distance: ExpressibleByArgument {}

struct EpisodesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "episodes",
    abstract: "Measure few-shot recognition by a network's features.",
    discussion: """
      An episode draws classes, and labelled and unlabelled test images of each.
      Every unlabelled one goes to the class whose labelled features have the nearest mean.
      Features are those that the classifier reads. The classifier itself does not count.
      So the network may have been trained on other classes.
      Prints the mean accuracy over the episodes with its 95 % interval.
      docs/EVALUATION.md has the protocol.

        icp episodes RUN --checkpoint best --classes 5,6,7,8,9 --shots 5
      """)

  @OptionGroup var trained: TrainedRunArguments

  @Option(help: ArgumentHelp("Labels to draw from, such as 5,6,7; default all of the data.", valueName: "list"))
  var classes: String?

  @Option(help: ArgumentHelp("Classes an episode.", valueName: "n"))
  var way = 5

  @Option(help: ArgumentHelp("Labelled images a class.", valueName: "n"))
  var shots = 1

  @Option(help: ArgumentHelp("Images to recognise a class.", valueName: "n"))
  var queries = 15

  @Option(help: ArgumentHelp("Episodes.", valueName: "n"))
  var episodes = 600

  @Option(
    help: ArgumentHelp(
      "Nearest by which distance; cosine scales all features to length 1.", valueName: "euclidean|cosine"))
  var distance = EpisodeOptions.Distance.euclidean

  @Option(help: ArgumentHelp("Decides which episodes are drawn.", valueName: "n"))
  var seed = 0

  @Flag(help: "One JSON object: accuracy interval standard_deviation way shots queries episodes seed distance classes.")
  var json = false

  func validate() throws {
    for (name, value, range) in [
      ("way", way, 2...1_000_000), ("shots", shots, 1...1_000_000), ("queries", queries, 1...1_000_000),
      ("episodes", episodes, 2...1_000_000), ("seed", seed, 0...1 << 53),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name): expected an integer from \(range.lowerBound) to \(range.upperBound), got \(value)")
    }
    _ = try labels()
  }

  func run() throws {
    try Ranks.run { communicator in
      let (configuration, weights) = try trained.load(communicator)
      let options = EpisodeOptions(
        way: way, shots: shots, queries: queries, episodes: episodes, distance: distance, seed: seed)
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let rounds = SharedRounds(communicator, supervision)
      let report = try rounds.measureEpisodes(
        weights: weights, kind: trained.weightsKind, by: configuration, options, labels: labels())
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
    }
  }

  private func labels() throws -> [Int]? {
    try classes?.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let label = Int(text), label >= 0 else {
        throw ValidationError("--classes: expected labels such as 5,6,7, got '\(text)'")
      }
      return label
    }
  }
}
