import Files
import Reduction
import Foundation
import Planning
import Reporting
import Runtime

/// What a start says: at its beginning, and when it is done.
extension TrainingSession {
  func greeting(_ plan: RunPlan, _ resumed: Resumed?) -> String {
    let ranks = communicator.size
    var lines = [
      "\(Platform.description)",
      "\(short(name)): \(configuration.model.kind.rawValue) on \(plan.configuration.data.format.rawValue), "
        + "\(plan.data.training.count) training and \(plan.data.test?.count ?? 0) test images, rule \(configuration.icp.rule.rawValue), "
        + "\(counted(ranks, "rank")), \(counted(plan.shards, "shard")), \(counted(plan.totalSteps, "step"))",
      plan.skippedText,
      plan.validationText,
      plan.labelNoiseText.map { "label noise: \($0)" },
      "bit-reproducible: \(reproducibility(plan, resumed))",
    ].compactMap(\.self)
    if let resumed { lines.append("going on from \(resumed.path), step \(resumed.state.progress.step)") }
    return lines.joined(separator: "\n")
  }

  private func reproducibility(_ plan: RunPlan, _ resumed: Resumed?) -> String {
    if configuration.training.gradientReduction == .float32 {
      return "no, because training.gradient_reduction is float32"
    }
    if let versions = resumed?.metadata["versions"], versions != Platform.description {
      return "no, because the run began with \(versions)"
    }
    if configuration.training.nonFinite == .rollback {
      return "yes, at any number of ranks up to \(plan.shards) and after any resume on this type of machine; "
        + "but a rollback depends on when checkpoints are saved"
    }
    return "yes, at any number of ranks up to \(plan.shards) and after any resume on this type of machine"
  }

  /// A path as the user can type it from here.
  private func short(_ path: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }

  /// The same as a word for a shell.
  private func word(_ path: String) -> String { ShellWord.path(short(path)) }

  /// A command on this run's own resolved configuration, so that whatever `--set` said holds.
  private func command(_ name: String, _ arguments: String, _ journal: RunJournal) -> String {
    "\(word(CommandLine.arguments[0])) \(name) \(word(journal.directory.configPath)) \(arguments)"
  }

  func summary(_ result: RunResult, _ journal: RunJournal) -> RunSummary {
    RunSummary(
      testAccuracy: result.report.test?.accuracy, testLoss: result.report.test?.loss,
      averagedAccuracy: result.report.averaged?.test?.accuracy, seconds: result.seconds,
      steps: result.progress.step, runDirectory: journal.directory.path, checkpoint: journal.lastCheckpoint,
      next: (result.report.test == nil
        ? []
        : [
          (
            command("evaluate", "--weights \(journal.lastCheckpoint.map(word) ?? "FILE")", journal),
            "precision, recall, F1, calibration and the table of classes"
          )
        ]) + [
          (
            command("train", "--set icp.rule=none", journal),
            "the same run without the method, to see what it does for your model"
          ),
          (
            "launch/data cifar10 data/cifar10 && launch/train configs/cifar10-resnet20-icp.yaml",
            "real images (hours on two cores)"
          ),
        ], history: EpochHistory(metricsPath: journal.directory.metricsPath))
  }
}
