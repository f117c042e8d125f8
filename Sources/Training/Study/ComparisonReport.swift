import Foundation
import Reporting

/// A comparison as Markdown, CSV and JSON.
extension Comparison {
  /// A table for each point of the grid.
  package var markdown: String {
    var text = "# Results\n\n\(notes.joined(separator: "\n"))\n"
    for point in points {
      let rows = rows.filter { $0.point == point }
      let header = columns
      text += "\n\(point.isEmpty ? "" : "## \(point)\n\n")"
      text += Self.markdownTable(header, rows.map(cells))
    }
    return text
  }

  private var notes: [String] {
    var notes = [
      "Mean ± standard deviation over seeds; accuracies in per cent. *Best* is the best of any epoch in hindsight, chosen by "
        + "the figure itself: an upper bound. Time is training alone, without evaluation and saving (medians over runs)."
    ]
    if let baseline {
      notes.append(
        "The difference to `\(baseline)` is of the last epoch, paired by seed, with the 95 % interval of its mean (Student's t)."
      )
    }
    notes.append(provenance)
    let failed = rows.reduce(0) { $0 + $1.failed }
    if failed > 0 { notes.append("**\(failed) of \(runs.count) runs failed** and are in no mean.") }
    if unfinished > 0 { notes.append("**\(unfinished) runs are not done yet.**") }
    return notes
  }

  /// How settings came about: never left unsaid.
  private var provenance: String {
    if let searchMetric {
      return
        "A search: settings are compared by \(searchMetric) of the last epoch, on data held out of training; the test set "
        + "chooses nothing."
    }
    let chosen = rows.reduce(into: [(String, String)]()) { list, row in
      guard let text = row.provenance, !list.contains(where: { $0 == (row.variant, text) }) else { return }
      list.append((row.variant, text))
    }
    guard !chosen.isEmpty else { return "Settings: as the configurations give them; none was chosen by these runs." }
    return "Settings chosen on validation data, never on the test set: "
      + chosen.map { "`\($0.0)` \($0.1)" }.joined(separator: "; ") + ". The others: as the configurations give them."
  }

  // MARK: Columns

  private var hasFailures: Bool { rows.contains { $0.failed > 0 } }

  private var columns: [String] {
    var header = ["variant", "seeds"]
    if hasFailures { header.append("failed") }
    header += ["\(metrics[0])", "best"]
    if let baseline { header.append("difference to \(baseline)") }
    header += metrics.dropFirst()
    return header + ["epochs", "ms a step", "time a run"] + (baseline == nil ? [] : ["cost"])
  }

  private func cells(_ row: Row) -> [String] {
    let metric = metrics[0]
    var cells = [row.variant, "\(row.seeds.count)"]
    if hasFailures { cells.append("\(row.failed)") }
    cells += [shown(row.last[metric], metric), shown(row.best[metric], metric)]
    if baseline != nil { cells.append(shown(row.differences[metric], metric)) }
    cells += metrics.dropFirst().map { shown(row.last[$0], $0) }
    cells.append(row.epochs.map { decimal($0, places: 0) } ?? "")
    cells.append(row.secondsPerStep.map { decimal($0 * 1e3, places: 1) } ?? "")
    cells.append(row.trainingSeconds.map { duration($0) } ?? "")
    if baseline != nil { cells.append(row.cost.map { decimal($0, places: 2) } ?? "") }
    return cells
  }

  private func number(_ value: Double, _ metric: String) -> String {
    Self.isFraction(metric) ? decimal(value * 100, places: 2) : decimal(value, places: 4)
  }

  private func signed(_ value: Double, _ metric: String) -> String {
    (value > 0 ? "+" : "") + number(value, metric)
  }

  private func shown(_ spread: Spread?, _ metric: String) -> String {
    guard let spread else { return "" }
    return number(spread.mean, metric) + (spread.standardDeviation.map { " ± \(number($0, metric))" } ?? "")
  }

  private func shown(_ difference: Difference?, _ metric: String) -> String {
    guard let difference else { return "" }
    guard let half = difference.halfWidth else { return signed(difference.mean, metric) }
    return "\(signed(difference.mean, metric)) [\(signed(difference.mean - half, metric)), "
      + "\(signed(difference.mean + half, metric))]"
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
        "\(metric)_difference_half_width",
      ]
    }
    header += ["epochs", "seconds_per_step", "training_seconds", "cost"]
    let lines = rows.map { row in
      var cells = [row.point, row.variant, "\(row.seeds.count)", "\(row.failed)"]
      for metric in metrics {
        let (last, best, difference) = (row.last[metric], row.best[metric], row.differences[metric])
        cells += [
          last?.mean, last?.standardDeviation, best?.mean, best?.standardDeviation, difference?.mean,
          difference?.halfWidth,
        ].map(Self.plain)
      }
      return cells + [row.epochs, row.secondsPerStep, row.trainingSeconds, row.cost].map(Self.plain)
    }
    return Self.lines(header, lines)
  }

  /// A line a run, with every number of its last epoch, for analyses of one's own.
  package var runsCSV: String {
    let names = Set(runs.flatMap { $0.epochs.last.map { Array($0.keys) } ?? [] }).sorted()
    let header =
      ["point", "variant", "seed", "directory", "exit_status", "best_test_accuracy", "training_seconds"] + names
    return Self.lines(
      header,
      runs.map { run in
        [run.point, run.variant, "\(run.seed)", run.directory, "\(run.failure ?? 0)"]
          + [run.best("test_accuracy"), run.trainingSeconds.last].map(Self.plain)
          + names.map { Self.plain(run.epochs.last?[$0]) }
      })
  }

  private static func plain(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  private static func lines(_ header: [String], _ rows: [[String]]) -> String {
    ([header] + rows).map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func quoted(_ text: String) -> String {
    text.contains { ",\"\n".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
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

  /// results.md, results.csv, runs.csv, results.json and the plots in `directory`.
  package func write(to directory: String) throws(SaveError) {
    try StudyFile.write(markdown, to: "\(directory)/results.md")
    try StudyFile.write(csv, to: "\(directory)/results.csv")
    try StudyFile.write(runsCSV, to: "\(directory)/runs.csv")
    try StudyFile.write(json, to: "\(directory)/results.json")
    try writePlots(to: directory)
  }

  // MARK: A search's choice

  /// chosen.yaml: the best trial by the mean over seeds, and over the points of the grid; and in each point's folder its own.
  /// A trial with a run that failed, or is not done, is not chosen.
  func writeChosen(_ search: SettingSearch, _ sweep: Sweep, to directory: String) throws(SaveError) {
    try writeChosen(search, sweep, at: sweep.points, to: "\(directory)/chosen.yaml")
    guard sweep.points.count > 1 else { return }
    for point in sweep.points {
      try writeChosen(search, sweep, at: [point], to: "\(directory)/\(point.name)/chosen.yaml")
    }
  }

  private func writeChosen(
    _ search: SettingSearch, _ sweep: Sweep, at points: [Sweep.Point], to file: String
  ) throws(SaveError) {
    let expected = sweep.points.isEmpty ? 0 : points.count * sweep.seeds.count
    let scores: [(variant: Sweep.Variant, score: Double)] = sweep.variants.compactMap { variant in
      let values = runs.filter { run in run.variant == variant.name && points.contains { $0.title == run.point } }
        .compactMap { $0.last(search.metric) }.filter(\.isFinite)
      guard values.count == expected, let mean = Statistics.mean(values) else { return nil }
      return (variant, mean)
    }
    let isLower = SettingSearch.isLowerBetter(search.metric)
    guard let best = scores.min(by: { isLower ? $0.score < $1.score : $0.score > $1.score }) else { return }
    let place = points.count == 1 && !points[0].title.isEmpty ? " at \(points[0].title)" : ""
    // Of a key that is given twice, as by the variant and by the search, the last counts.
    var values: [(key: String, text: String)] = []
    for setting in best.variant.settings {
      values.removeAll { $0.key == setting.key.path }
      var configuration = RunConfiguration()
      _ = setting.key.read(setting.value, &configuration)
      values.append((setting.key.path, setting.key.write(configuration)))
    }
    let text =
      "# by \(search.metric) (\(decimal(best.score, places: 4)), mean of \(counted(expected, "run"))), the best of "
      + "\(scores.count) random trials of `\(search.variant)`\(place)\n"
      + values.map { "\($0.key): \($0.text)\n" }.joined()
    try StudyFile.write(text, to: file)
  }
}
