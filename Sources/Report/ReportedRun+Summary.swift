import Checkpointing
import Configuration
import Files
import Reporting
import Runtime

/// What one run came to, in a few figures and sentences, and what to do next.
extension ReportedRun {
  var figures: [Page.Figure] {
    func figure(_ name: String, _ value: Double?, _ isFraction: Bool) -> Page.Figure? {
      value.map { Page.Figure(name, $0, isFraction: isFraction) }
    }
    let refinement = records.lastRefinement
    return [
      figure("test accuracy, last epoch", records.last("test_accuracy"), true),
      figure("validation accuracy", records.last("validation_accuracy"), true),
      figure("test loss", records.last("test_loss"), false),
      figure("training loss", records.last("train_loss"), false),
      figure("loss at x_0", refinement?.start, false), figure("loss at x_T", refinement?.end, false),
      figure("pixels moved by", refinement?.moved, false),
    ].compactMap(\.self)
  }

  var summary: [String] {
    [result, whatTheMethodDid, whatItIsFor, whetherItHelped].compactMap(\.self)
  }

  private var result: String {
    guard let last = records.epochs.last else { return "This run has not come to the end of an epoch yet." }
    let epoch = Int(last["epoch"] ?? 0) + 1
    let planned = configuration.training.epochs
    let state = epoch < planned ? "after \(epoch) of \(counted(planned, "epoch"))" : "after \(counted(epoch, "epoch"))"
    guard let accuracy = records.last("test_accuracy") else {
      return
        "Training loss \(state): \(Chart.number(last["train_loss"] ?? .nan, false)). There is no test set, so how the network "
        + "does on new images is not known."
    }
    let train = records.last("train_eval_accuracy").map {
      ", and \(percent($0)) of the images that it was trained on"
    }
    return "The network classifies \(percent(accuracy)) of the test images right \(state)\(train ?? "")."
  }

  private var whatTheMethodDid: String {
    guard steps > 0 else {
      return
        "This is plain training: no image was refined, and nothing was distilled (icp.rule: \(configuration.icp.rule.rawValue))."
    }
    guard let last = records.lastRefinement else { return "No step that refined images has been recorded." }
    let fall = last.start > 0 ? " (\(decimal((last.end - last.start) / last.start * 100, places: 0)) %)" : ""
    let from = records.firstRefinedEpoch.map { $0 > 0 ? "From epoch \($0 + 1) on, the" : "The" } ?? "The"
    return
      "\(from) method moved each training image \(counted(steps, "step")) towards what the network finds easier. In the last "
      + "epoch that took the images' loss from \(decimal(last.start, places: 3)) to \(decimal(last.end, places: 3))\(fall), "
      + "while a pixel moved by \(RefinementSummary.short(last.moved)) on average, in normalised units."
  }

  private var whatItIsFor: String? {
    guard steps > 0, let last = records.lastRefinement, let share = last.distillationShare else { return nil }
    return "The network then learned to see in the image what it sees in the moved one. This distillation was "
      + "\(decimal(share * 100, places: 1)) % of the loss; alpha, the weight of the task itself, ended at "
      + "\(decimal(last.alpha, places: 2))."
  }

  private var whetherItHelped: String {
    if let counterpart {
      let which = steps > 0 ? "the same without the method" : "the same with the method"
      return "Whether the method helps, one run cannot show. \(counterpart) is \(which): compare the two."
    }
    return steps > 0
      ? "Whether that helped, one run cannot show. Train the same without the method, and compare the two:"
      : "To see what the method would do here, train the same with it, and compare the two:"
  }

  /// The run beside it that shows what the method does, and how to compare them.
  var next: [Page.Command] {
    if let counterpart {
      let both = "\(ShellWord.path(directory)) \(ShellWord.path(counterpart))"
      return [
        Page.Command(purpose: "Both as tables", command: "icp compare \(both)"),
        Page.Command(purpose: "Both on one page, which is written here", command: "icp report \(both)"),
      ]
    }
    let other = "\(directory)-\(steps > 0 ? "plain" : "icp")"
    let setting = steps > 0 ? "icp.rule=none" : "icp.rule=adam"
    return [
      Page.Command(
        purpose: steps > 0 ? "The same without the method" : "The same with the method",
        command: "icp train \(word(RunDirectory.configName)) --set \(setting) --run-dir \(ShellWord.path(other))"),
      Page.Command(
        purpose: "Both on one page", command: "icp report \(ShellWord.path(directory)) \(ShellWord.path(other))"),
    ]
  }

  private func word(_ file: String) -> String { ShellWord.path("\(directory)/\(file)") }

  // MARK: Configuration

  /// "Configuration"
  var settings: Page.Configuration {
    var settings = Page.Configuration()
    settings.repeats = [
      Page.Command(
        purpose: "The same run again, with the same bits at any number of ranks",
        command: "icp train \(word(RunDirectory.configName)) --run-dir \(ShellWord.path("\(directory)-again"))")
    ]
    let standard = RunConfiguration()
    let changed = ConfigurationTable.keys.filter { $0.write(configuration) != $0.write(standard) }
    settings.tables = [
      PageTable(
        "What differs from the defaults", header: ["key", "value", "default"],
        rows: changed.map { key in
          [key.path, key.write(configuration), key.defaultText].map { PageTable.Cell($0) }
        })
    ]
    if !metadata.isEmpty {
      let known = [
        ("program and libraries", "versions"), ("step", "step"), ("seed", "seed"), ("shards", "shards"),
        ("data", "data"),
      ]
      let rows = known.compactMap { name, key in metadata[key].map { [PageTable.Cell(name), PageTable.Cell($0)] } }
      settings.tables.append(
        PageTable(
          "Environment", header: ["", "of the checkpoint"],
          rows: [[PageTable.Cell("file"), PageTable.Cell(weights ?? "")]] + rows))
    }
    settings.texts = [Page.Text(run: directory, text: configuration.resolvedYAML)]
    return settings
  }
}
