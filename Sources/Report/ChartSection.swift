import Reporting
import Runtime
import Studies

/// Charts and tables under one heading, with sentences about what is not there.
struct ChartSection {
  var intro: String?
  var missing: [String] = []
  var charts: [Chart] = []
  var timelines: [Timeline] = []
  var tables: [PageTable] = []

  mutating func add(_ chart: Chart?) { if let chart { charts.append(chart) } }
}

// MARK: One run

extension ReportedRun {
  /// "Accuracy and loss"
  var accuracyAndLoss: ChartSection {
    var section = ChartSection()
    section.intro =
      "Accuracy is the share of images that are classified right. Figures of training are means over an epoch, of weights "
      + "that were still moving; 'training, measured' is taken at the epoch's end as for the test set."
    if records.epochs.isEmpty { section.missing.append("No epoch of this run has been measured yet.") }
    if !records.epochs.isEmpty, records.last("test_accuracy") == nil {
      section.missing.append(
        "This run has no test set, so nothing here says how it does on images that it has not seen.")
    }
    section.add(
      Chart("Accuracy", by: "epoch", lines(of: "accuracy"), isFraction: true))
    section.add(Chart("Loss", by: "epoch", lines(of: "loss"), note: "Cross entropy of the task, the mean of an image."))
    section.add(
      Chart(
        "Generalisation gap", by: "epoch",
        [.init(name: "training, measured, less test", points: records.ofEpochs("generalization_gap"))],
        isFraction: true,
        note: "How much better the network does on images that it was trained on."))
    section.add(
      Chart(
        "Losses of steps", by: "step",
        [
          .init(name: "task", points: records.ofSteps("task_loss")),
          .init(name: "distillation", points: records.ofSteps("distillation_loss")),
          .init(name: "total", points: records.ofSteps("total_loss")),
        ], note: "The total falls with alpha alone, whatever the network learns."))
    section.add(
      Chart("Learning rate", by: "step", [.init(name: "learning rate", points: records.ofSteps("learning_rate"))]))
    if let table = epochTable { section.tables.append(table) }
    if let table = finalTable { section.tables.append(table) }
    return section
  }

  private func lines(of metric: String) -> [Chart.Series] {
    [
      ("test", "test_\(metric)"), ("validation", "validation_\(metric)"), ("training", "train_\(metric)"),
      ("training, measured", "train_eval_\(metric)"), ("test, averaged weights", "test_\(metric)_ema"),
    ].map { Chart.Series(name: $0.0, points: records.ofEpochs($0.1)) }
  }

  /// Every number of the epochs but the process's own.
  private var epochTable: PageTable? {
    let own: Set = ["epoch", "step", "resident_bytes", "open_files", "threads"]
    let first = [
      "test_accuracy", "test_loss", "validation_accuracy", "validation_loss", "train_accuracy", "train_loss",
      "train_eval_accuracy", "train_eval_loss", "generalization_gap", "test_f1", "test_ece",
    ]
    let found = Set(records.epochs.flatMap(\.keys)).subtracting(own)
    guard !found.isEmpty else { return nil }
    let names = first.filter(found.contains) + found.subtracting(first).sorted()
    let epochs = records.epochs.suffix(Self.mostRows)
    let cut = records.epochs.count - epochs.count
    return PageTable(
      "Numbers by epoch" + (cut > 0 ? ", without the first \(cut)" : ""),
      header: ["epoch"] + names.map { $0.replacing("_", with: " ") },
      rows: epochs.map { record in
        [PageTable.Cell("\(Int(record["epoch"] ?? 0) + 1)")]
          + names.map { PageTable.Cell(record[$0], isFraction: Comparison.isFraction($0)) }
      }, isFolded: true)
  }

  private var finalTable: PageTable? {
    guard let final = records.final else { return nil }
    let names = final.keys.filter { !["epoch", "step"].contains($0) }.sorted()
    return PageTable(
      "Measured once more at the end", header: ["figure", "value"],
      rows: names.map {
        [
          PageTable.Cell($0.replacing("_", with: " ")),
          PageTable.Cell(final[$0], isFraction: Comparison.isFraction($0)),
        ]
      })
  }

  private static var mostRows: Int { 400 }

  /// "Refinement"
  var refinement: ChartSection {
    var section = ChartSection()
    guard steps > 0 else {
      section.missing.append(
        "This run had no refinement (icp.rule: \(configuration.icp.rule.rawValue), \(counted(configuration.icp.steps, "step"))): "
          + "it is plain training.")
      return section
    }
    section.intro =
      "In each step the images are moved a little, so that the network finds them easier: from x_0, the image, to x_T, down "
      + "the loss of their true labels. The network then learns to have for x_0 the features that it has for x_T: the "
      + "distillation. Alpha is the weight of the task in the loss, and 1 - alpha that of the distillation."
    guard records.lastRefinement != nil else {
      section.missing.append(
        records.steps.isEmpty
          ? "No step was recorded (logging.every_steps: \(configuration.logging.everySteps))."
          : "No step that refined images was recorded: this run ended within its warm-up (distillation.warmup), or is of "
            + "another kind.")
      return section
    }
    section.add(
      Chart(
        "Loss of training images", by: "step",
        [
          .init(name: "at x_0", points: records.ofSteps("loss_at_x0")),
          .init(name: "at x_T", points: records.ofSteps("loss_at_xT")),
        ], note: "Before the refinement and after it, of a step's own images."))
    section.add(
      Chart(
        "How far pixels move", by: "step",
        [.init(name: "mean |x_T - x_0|", points: records.ofSteps("perturbation"))],
        note: "In normalised pixels: 1 is the deviation of the training set's pixels."))
    section.add(
      Chart(
        "Distillation's share of the loss", by: "step",
        [.init(name: "(1 - alpha) distillation / total", points: records.ofSteps(RefinementSummary.distillationShare))],
        isFraction: true))
    section.add(Chart("Alpha", by: "step", [.init(name: "alpha", points: records.ofSteps("alpha"))]))
    section.add(
      Chart(
        "Distillation loss by layer", by: "step",
        (0..<(records.layers.first?.losses.count ?? 0)).map { layer in
          Chart.Series(
            name: layerName(layer),
            points: records.layers.compactMap {
              layer < $0.losses.count ? Chart.Point(x: $0.step, y: $0.losses[layer]) : nil
            })
        }, note: "Mean squared difference of the features at x_0 and at x_T, not weighted."))
    return section
  }

  private func layerName(_ index: Int) -> String {
    guard let taps = configuration.distillation.taps, index < taps.count else { return "layer \(index + 1)" }
    return taps[index]
  }

  /// "Time"
  var time: ChartSection {
    var section = ChartSection()
    section.intro = "Time by the clock of the machine that trained, so it counts whatever else ran there."
    if records.epochs.isEmpty { section.missing.append("No epoch of this run has ended yet.") }
    let rows = timeRows
    if !rows.isEmpty {
      section.tables.append(PageTable("Where the time went", header: ["", "time"], rows: rows))
    }
    if let trace {
      section.timelines.append(trace.timeline)
      section.tables.append(trace.table)
    } else {
      section.missing.append(
        "Phases of a step and ranks over time: this run has no trace; icp train --trace 10-20 writes one.")
    }
    section.add(
      Chart(
        "Seconds a step", by: "epoch",
        [
          .init(name: "median of an epoch", points: records.ofEpochs("seconds_per_step")),
          .init(name: "processor time of rank 0", points: records.ofEpochs("processor_seconds_per_step")),
        ]))
    section.add(
      Chart(
        "Images a second", by: "step", [.init(name: "of a step", points: records.ofSteps("images_per_second"))]))
    return section
  }

  private var timeRows: [[PageTable.Cell]] {
    guard let last = records.epochs.last else { return [] }
    let whole = records.epochs.compactMap { $0["seconds"] }.reduce(0, +)
    let saving = records.epochs.compactMap { $0["saving_seconds"] }.reduce(0, +)
    var rows = [
      [PageTable.Cell("epochs in all"), PageTable.Cell(duration(whole), exact: whole)],
      [PageTable.Cell("of these, waiting for saves"), PageTable.Cell(duration(saving), exact: saving)],
    ]
    if let step = last["seconds_per_step"] {
      rows.append([
        PageTable.Cell("a step of the last epoch"), PageTable.Cell("\(decimal(step * 1e3, places: 1)) ms", exact: step),
      ])
    }
    if let bytes = last["resident_bytes"] {
      rows.append([PageTable.Cell("memory of rank 0"), PageTable.Cell(sized(Int(bytes)), exact: bytes)])
    }
    return rows
  }
}
