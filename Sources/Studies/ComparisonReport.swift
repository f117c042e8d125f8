import Files
import Formats
import Foundation
import Reporting
import Runtime

/// A comparison as Markdown, CSV and JSON.
extension Comparison {
  /// A table for each point of the grid.
  package var markdown: String {
    var text =
      "# Results\n\n\(about.map { "\($0)\n\n" } ?? "")\(verdict.map { "- \($0)\n" }.joined())\n\(notes.joined(separator: "\n"))\n"
    for point in points {
      let (header, rows) = table(of: point)
      text += "\n\(point.isEmpty ? "" : "## \(point)\n\n")"
      text += Self.markdownTable(header, rows)
    }
    return text
  }

  private var notes: [String] {
    var notes = [
      "Mean ± standard deviation over seeds; accuracies in per cent. *Best* is the best of the epochs that were measured, "
        + "in hindsight, chosen by the figure itself: an upper bound. Time is training alone, without evaluation and saving (medians over runs)."
    ]
    if let baseline {
      notes.append(
        "The difference to `\(baseline)` is of the last epoch, paired by seed, with the 95 % interval of its mean (Student's t)."
      )
    }
    notes.append(provenance)
    let failed = rows.reduce(0) { $0 + $1.failed }
    if failed > 0 {
      notes.append(
        "**\(failed) of \(counted(runs.count, "run")) failed** and \(failed == 1 ? "is" : "are") in no mean.")
    }
    if unfinished > 0 { notes.append("**\(counted(unfinished, "run")) not done yet.**") }
    let recorded = runs.recorded
    for metric in metrics where !recorded.contains(metric) && !recorded.isEmpty {
      notes.append("**`\(metric)` is in no record**; there are \(recorded.sorted().joined(separator: ", ")).")
    }
    return notes
  }

  /// How settings came about: never left unsaid.
  private var provenance: String {
    if let searchMetric {
      return
        "A search: settings are compared by \(searchMetric) of the last epoch, on data held out of training; the test set "
        + "chooses nothing."
    }
    // Those of one origin together, in their order.
    let origins = rows.reduce(into: [(text: String, variants: [String])]()) { list, row in
      guard let text = row.provenance else { return }
      if let index = list.firstIndex(where: { $0.text == text }) {
        if !list[index].variants.contains(row.variant) { list[index].variants.append(row.variant) }
      } else {
        list.append((text, [row.variant]))
      }
    }
    guard !origins.isEmpty else { return "Settings: as the configurations give them; none was chosen by these runs." }
    let named = { (origin: (text: String, variants: [String])) in
      origin.variants.map { "`\($0)`" }.joined(separator: ", ") + " " + origin.text
    }
    let chosen = origins.filter { $0.text.hasPrefix(ChosenSettings.onValidation) }.map(named)
    let given = origins.filter { !$0.text.hasPrefix(ChosenSettings.onValidation) }.map(named)
    var sentences: [String] = []
    if !chosen.isEmpty {
      sentences.append(
        "Settings chosen on validation data, never on the test set: \(chosen.joined(separator: "; ")).")
    }
    if !given.isEmpty {
      sentences.append("Settings of which nothing says how they were chosen: \(given.joined(separator: "; ")).")
    }
    return (sentences + ["The others: as the configurations give them."]).joined(separator: " ")
  }

  // MARK: Columns

  private var hasFailures: Bool { rows.contains { $0.failed > 0 } }

  private var hasTrials: Bool { rows.contains { $0.drawn != nil } }

  /// The table of a point as it is written, a line a row.
  package func table(of point: String) -> (header: [String], rows: [[String]]) {
    (columns, rows.filter { $0.point == point }.map(cells))
  }

  private var columns: [String] {
    var header = ["variant"] + (hasTrials ? ["drawn"] : []) + ["seeds"]
    if hasFailures { header.append("failed") }
    header += [Self.title(of: metrics[0]), "best"]
    if let baseline { header.append("difference to \(baseline)") }
    header += metrics.dropFirst().map(Self.title)
    return header + ["epochs", "ms a step", "time a run"] + (baseline == nil ? [] : ["cost"])
  }

  private func cells(_ row: Row) -> [String] {
    let metric = metrics[0]
    var cells = [row.variant] + (hasTrials ? [row.drawn ?? ""] : []) + ["\(row.seeds.count)"]
    if hasFailures { cells.append("\(row.failed)") }
    let shown = { (spread: Spread?, name: String) in self.shown(spread, name, of: row.seeds.count) }
    cells += [shown(row.last[metric], metric), shown(row.best[metric], metric)]
    if baseline != nil { cells.append(self.shown(row.differences[metric], metric, of: row.seeds.count)) }
    cells += metrics.dropFirst().map { shown(row.last[$0], $0) }
    cells.append(row.epochs.map { decimal($0, places: 0) } ?? "")
    cells.append(row.secondsPerStep.map { decimal($0 * 1e3, places: 1) } ?? "")
    cells.append(row.trainingSeconds.map { duration($0) } ?? "")
    if baseline != nil { cells.append(row.cost.map { decimal($0, places: 2) } ?? "") }
    return cells
  }

  /// A number of the records as a column's name for people.
  package static func title(of metric: String) -> String {
    let words = [
      "train_eval_accuracy": "training accuracy", "generalization_gap": "gap", "test_ece": "calibration error",
      "train_accuracy_right_labels": "on right labels", "train_accuracy_wrong_labels": "on wrong labels",
    ]
    let name = words[metric] ?? metric.replacing("_", with: " ")
    return isFraction(metric) ? "\(name) %" : name
  }

  private func number(_ value: Double, _ metric: String) -> String {
    Self.isFraction(metric) ? decimal(value * 100, places: 2) : decimal(value, places: 4)
  }

  func signed(_ value: Double, _ metric: String) -> String {
    (value > 0 ? "+" : "") + number(value, metric)
  }

  /// Says where only some of the row's seeds have the number.
  private func shown(_ spread: Spread?, _ metric: String, of seeds: Int) -> String {
    guard let spread else { return "" }
    return number(spread.mean, metric) + (spread.standardDeviation.map { " ± \(number($0, metric))" } ?? "")
      + (spread.count == seeds ? "" : " (\(spread.count) of \(seeds))")
  }

  /// The same of pairs.
  private func shown(_ difference: Difference?, _ metric: String, of seeds: Int) -> String {
    guard let difference else { return "" }
    let interval = difference.halfWidth.map {
      " [\(signed(difference.mean - $0, metric)), \(signed(difference.mean + $0, metric))]"
    }
    return signed(difference.mean, metric) + (interval ?? "")
      + (difference.count == seeds ? "" : " (\(difference.count) of \(seeds))")
  }

  private static func markdownTable(_ header: [String], _ rows: [[String]]) -> String {
    let rule = header.indices.map { $0 == 0 ? "---" : "---:" }
    return ([header, rule] + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  // MARK: CSV

  /// A line a row of the tables: of each metric mean, deviation, and difference with half the width of its interval.
  package var csv: String {
    var header = ["point", "variant", "seeds", "failed"]
    for metric in metrics {
      header += [
        "\(metric)", "\(metric)_sd", "\(metric)_best", "\(metric)_best_sd", "\(metric)_difference",
        "\(metric)_difference_half_width", "\(metric)_difference_pairs",
      ]
    }
    header += ["epochs", "seconds_per_step", "training_seconds", "cost"]
    let lines = rows.map { row in
      var cells = [row.point, row.variant, "\(row.seeds.count)", "\(row.failed)"]
      for metric in metrics {
        let (last, best, difference) = (row.last[metric], row.best[metric], row.differences[metric])
        cells += [
          last?.mean, last?.standardDeviation, best?.mean, best?.standardDeviation, difference?.mean,
          difference?.halfWidth, difference.map { Double($0.count) },
        ].map(Self.plain)
      }
      return cells + [row.epochs, row.secondsPerStep, row.trainingSeconds, row.cost].map(Self.plain)
    }
    return Self.lines(header, lines)
  }

  /// A line a run, with the keys in which runs differ and every number of its last epoch, for analyses of one's own.
  package var runsCSV: String {
    let names = runs.recorded.sorted()
    let settings = RunSettings(runs)
    let header =
      ["point", "variant", "seed", "directory", "exit_status"] + settings.keys
      + ["best_test_accuracy", "training_seconds"] + names
    return Self.lines(
      header,
      runs.map { run in
        [run.point, run.variant, "\(run.seed)", run.directory, "\(run.failure ?? 0)"] + settings.values(of: run)
          + [run.best("test_accuracy"), run.trainingSeconds.last].map(Self.plain)
          + names.map { Self.plain(run.epochs.last?[$0]) }
      })
  }

  private static func plain(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  private static func lines(_ header: [String], _ rows: [[String]]) -> String {
    ([header] + rows).map(CSVText.line).joined()
  }

  // MARK: Files

  private struct Summary: Encodable {
    var baseline: String?
    var metrics: [String]
    var settingsChosenBy: String
    var unfinished: Int
    var rows: [Row]
  }

  package var json: String {
    StudyFile.json(
      Summary(
        baseline: baseline, metrics: metrics, settingsChosenBy: provenance, unfinished: unfinished, rows: rows))
  }

  static let fileNames = ["results.md", "results.csv", "runs.csv", "results.json"]

  /// Throws where files that are not this program's would be touched.
  package static func checkPlaces(_ directory: String) throws(SaveError) {
    struct Mark: Decodable {
      var settingsChosenBy: String
      var unfinished: Int
    }
    try OwnedFolder(directory, option: "--directory", files: fileNames, folders: ["plots"]).check("a study's directory")
    {
      StudyOutline.read(directory) != nil || StudyFile.read(Mark.self, "\(directory)/results.json") != nil
    }
  }

  /// results.md, results.csv, runs.csv, results.json and the plots in `directory`.
  package func write(to directory: String) throws(SaveError) {
    // First, since it shows whose the folder is.
    try StudyFile.write(json, to: "\(directory)/results.json")
    try StudyFile.write(markdown, to: "\(directory)/results.md")
    try StudyFile.write(csv, to: "\(directory)/results.csv")
    try StudyFile.write(runsCSV, to: "\(directory)/runs.csv")
    try writePlots(to: directory)
  }
}
