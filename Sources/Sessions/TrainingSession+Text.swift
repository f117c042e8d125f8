import Checkpointing
import Configuration
import Evaluation
import Files
import Foundation
import Planning
import Reduction
import Reporting
import Runtime
import Training

/// What a start says: at its beginning, and when it is done.
extension TrainingSession {
  func greeting(_ plan: RunPlan, _ resumed: Resumed?, extensions: [Int]) -> String {
    let ranks = communicator.size
    var lines = [
      "\(Platform.description)",
      "\(short(name)): \(configuration.model.kind.rawValue) on \(plan.configuration.data.format.rawValue), "
        + "\(plan.data.training.count) training and \(plan.data.test?.count ?? 0) test images, rule \(configuration.icp.rule.rawValue), "
        + "\(counted(ranks, "rank")), \(counted(plan.shards, "shard")), \(counted(plan.totalSteps, "step"))",
      plan.skippedText,
      plan.validationText,
      plan.labelNoiseText.map { "label noise: \($0)" },
      plan.configuration.precisionText.map { "precision: \($0)" },
      plan.configuration.presetText.map { "preset: \($0)" },
      "bit-reproducible: \(reproducibility(plan, resumed))",
    ].compactMap(\.self)
    if !extensions.isEmpty {
      lines.append(
        "extended after epoch \(listed(extensions.map { "\($0)" })): learning rate and alpha go on as a run of "
          + "\(plan.configuration.training.epochs) epochs has them; the weights are not the bits of one that was planned so "
          + "from the start")
    }
    if let resumed { lines.append("going on from \(resumed.path), step \(resumed.state.progress.step)") }
    return lines.joined(separator: "\n")
  }

  private func reproducibility(_ plan: RunPlan, _ resumed: Resumed?) -> String {
    if configuration.training.gradientReduction == .float32 {
      return "no, because training.gradient_reduction is float32"
    }
    if let versions = resumed?.metadata["versions"], versions != Platform.description(of: plan.configuration) {
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

  func summary(_ result: RunResult, _ journal: RunJournal) -> RunSummary {
    RunSummary(
      testAccuracy: result.report.test?.accuracy, testLoss: result.report.test?.loss,
      averagedAccuracy: result.report.averaged?.test?.accuracy, seconds: result.seconds,
      steps: result.progress.step, runDirectory: journal.directory.path, checkpoint: journal.lastCheckpoint,
      next: next(result, journal),
      history: EpochHistory(metricsPath: journal.directory.metricsPath))
  }

  /// What fits the run that has ended: commands, and what each is for.
  private func next(_ result: RunResult, _ journal: RunJournal) -> [(command: String, purpose: String)] {
    let (icp, run) = (word(CommandLine.arguments[0]), word(journal.directory.path))
    var next = [("\(icp) report \(run)", "one page to look at: curves, pictures from x_0 to x_T, mistakes")]
    if result.report.test != nil {
      next.append(("\(icp) evaluate \(run)", "precision, recall, F1, calibration and the table of classes"))
    }
    let isPlain = configuration.icp.refinementSteps == 0
    if let other = Counterpart.path(of: configuration, in: journal.directory.path) {
      next.append(("\(icp) compare \(run) \(word(other))", "with and without the method, as tables"))
      next.append(("\(icp) report \(run) \(word(other))", "the same as a page, which is written here"))
    } else if isPlain, configuration.icp.rule == .none {
      next.append(
        ("\(icp) train \(word(journal.directory.configPath)) --set icp.rule=adam", "the same run with the method"))
    } else if !isPlain {
      next.append(
        (
          "\(icp) train \(word(journal.directory.configPath)) --set icp.rule=none",
          "the same run without the method, to see what it does for your model"
        ))
    }
    if configuration.data.format == .glyphs {
      next.append(
        (
          "launch/data cifar10 data/cifar10 && launch/train configs/cifar10-resnet20-icp.yaml",
          "real images (hours on two cores)"
        ))
    }
    return next
  }
}
