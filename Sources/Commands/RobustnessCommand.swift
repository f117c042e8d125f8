import ArgumentParser
import Evaluation
import Files
import MPI
import Reporting
import Supervision

extension RobustnessCheck: ExpressibleByArgument {}

struct RobustnessCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "robustness",
    abstract: "Measure weights on corrupted and attacked test images.",
    discussion: """
      Corruptions: Gaussian noise and blur, brightness, contrast, each at five severities.
      They are made from the test set. CIFAR-C's own files are measured with --cifar-c.
      Attacks: FGSM and PGD, white-box, within 8/255 of every pixel.
      The figures are the same at any number of ranks.
      icp train does the same at its end with evaluation.final.
      docs/EVALUATION.md has all of it.
      """)

  @OptionGroup var trained: TrainedRunArguments

  @Option(help: ArgumentHelp("One of the two; both without it.", valueName: "corruptions|attacks"))
  var only: RobustnessCheck?

  @Option(help: ArgumentHelp("As evaluation.cifar_c: labels.npy and other .npy files.", valueName: "dir"))
  var cifarC: String?

  @Option(help: ArgumentHelp("As evaluation.attack_samples: attacks the first so many test samples.", valueName: "n"))
  var attackSamples: Int?

  @Flag(help: "One JSON object: samples, accuracy, corruption_*, cifar_c_*, fgsm_accuracy, pgd_accuracy, attack_*.")
  var json = false

  func validate() throws {
    guard attackSamples ?? 1 >= 1 else { throw ValidationError("--attack-samples: expected at least 1") }
  }

  func run() throws {
    try Ranks.run { communicator in
      var (configuration, weights) = try trained.load(communicator)
      if let cifarC { configuration.evaluation.cifarC = cifarC }
      if let attackSamples { configuration.evaluation.attackSamples = attackSamples }
      let supervision = try Supervision(communicator, limit: configuration.watchdog.seconds)
      defer { supervision.end() }
      let rounds = SharedRounds(communicator, supervision)
      let report = try rounds.measureRobustness(
        weights: weights, kind: trained.weightsKind, by: configuration, only.map { [$0] } ?? RobustnessCheck.allCases)
      if communicator.rank == 0, let warning = report.attacks?.warning { Fatal.write("icp: warning: \(warning)") }
      try StandardOutput.print(json ? report.json : report.text, from: communicator)
    }
  }
}
