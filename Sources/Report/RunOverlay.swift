import Configuration
import Foundation
import Reporting
import Runtime
import Studies

/// Several runs in one page: a line a variant, over its seeds.
struct RunOverlay {
  struct Group {
    var point: String
    var name: String
    var runs: [ReportedRun]
  }

  let groups: [Group]
  /// Of the runs that have come to their end; nil where these cannot be compared, for the reason that `refusal` gives.
  private let comparison: Comparison?
  private let refusal: String?
  private let unfinished: [String]

  /// More lines than these are too many for a picture, and so are more of the runs whose records are read.
  private static let mostGroups = 14
  private static let mostRuns = 60
  private static let mostCharts = 24

  /// Throws UsageError where `baseline` is none of the variants.
  init(_ directories: [String], paths: [String], baseline: String?) throws {
    var (comparison, refusal, unfinished) = (Comparison?.none, String?.none, [String]())
    do {
      let collection = try RunCollection(paths)
      unfinished = collection.unfinished
      if let baseline, !collection.runs.contains(where: { $0.variant == baseline }) {
        let names = Set(collection.runs.map(\.variant)).sorted().joined(separator: ", ")
        throw UsageError("--baseline \(baseline): no such variant; there are \(names)")
      }
      if collection.runs.isEmpty {
        refusal = "No run here has come to its end, so nothing is compared yet."
      } else {
        comparison = collection.comparison(baseline: baseline, metrics: [])
      }
    } catch let error as UsageError where baseline == nil {
      refusal = "These runs are not compared: \(error)."
    }
    let known = Dictionary((comparison?.runs ?? []).map { ($0.directory, $0) }) { first, _ in first }
    var groups: [Group] = []
    for directory in directories.prefix(Self.mostRuns) {
      guard let run = try? ReportedRun(overlaid: directory) else { continue }
      let (point, name) = known[directory].map { ($0.point, $0.variant) } ?? ("", directory)
      if let index = groups.firstIndex(where: { $0.point == point && $0.name == name }) {
        groups[index].runs.append(run)
      } else {
        groups.append(Group(point: point, name: name, runs: [run]))
      }
    }
    self.groups = groups
    self.comparison = comparison
    self.refusal = refusal
    self.unfinished = unfinished
  }

  /// The first run of each of three variants: of those with the method, and one without where there is one.
  var shown: [String] {
    let first = groups.map { $0.runs[0] }
    let (with, without) = (first.filter { $0.steps > 0 }, first.filter { $0.steps == 0 })
    let most = without.isEmpty ? 3 : 2
    return (with.prefix(most) + without.prefix(3 - min(with.count, most))).map(\.directory)
  }

  /// The verdict, in sentences.
  var summary: [String] {
    var sentences = (comparison?.about.map { [$0] } ?? []) + (comparison?.verdict ?? [])
    if let refusal { sentences.append(refusal) }
    if !unfinished.isEmpty {
      sentences.append(
        "\(counted(unfinished.count, "run")) of these \(unfinished.count == 1 ? "has" : "have") not come to an end: "
          + "\(listed(unfinished)).")
    }
    for row in comparison?.rows ?? [] where row.variant != comparison?.baseline {
      guard let cost = row.cost, let baseline = comparison?.baseline else { continue }
      let place = row.point.isEmpty ? "" : "At \(row.point): "
      sentences.append("\(place)\(row.variant) took \(decimal(cost, places: 2)) times the compute of \(baseline).")
    }
    let refined = groups.compactMap { group in
      group.runs[0].records.lastRefinement.map { last in
        "In its last epoch \(group.name) took the training images' loss from \(decimal(last.start, places: 3)) to "
          + "\(decimal(last.end, places: 3)), moving a pixel by \(RefinementSummary.short(last.moved)) on average"
          + (last.distillationShare.map { "; the distillation was \(decimal($0 * 100, places: 1)) % of the loss" } ?? "")
          + "."
      }
    }
    return sentences + refined.prefix(6)
  }

  /// "Comparison"
  var comparisonSection: ChartSection {
    var section = ChartSection()
    guard let comparison else {
      section.missing = [refusal ?? ""]
      return section
    }
    section.intro =
      "Mean and standard deviation over seeds, accuracies in per cent. Best: of all epochs, chosen by the figure itself, so an "
      + "upper bound. The difference to the baseline is paired by seed, with the 95 % interval of its mean: where that "
      + "holds 0, no difference is shown."
    section.tables = comparison.points.map { point in
      let (header, rows) = comparison.table(of: point)
      return PageTable(
        point.isEmpty ? "Variants" : point, header: header,
        rows: rows.map { $0.map { PageTable.Cell($0) } })
    }
    section.tables.append(runsTable)
    return section
  }

  private var runsTable: PageTable {
    let runs = groups.flatMap { group in group.runs.map { (group, $0) } }
    return PageTable(
      "Runs", header: ["run", "variant", "seed", "epochs", "test accuracy", "test loss", "training loss"],
      rows: runs.map { group, run in
        [
          PageTable.Cell(run.directory),
          PageTable.Cell([group.point, group.name].filter { !$0.isEmpty }.joined(separator: " ")),
          PageTable.Cell("\(run.configuration.training.seed)"), PageTable.Cell("\(run.epochs)"),
          PageTable.Cell(run.records.last("test_accuracy"), isFraction: true),
          PageTable.Cell(run.records.last("test_loss")), PageTable.Cell(run.records.last("train_loss")),
        ]
      }, isFolded: runs.count > 12)
  }

  // MARK: Charts

  /// A line a group, the mean over its runs with their deviation as a band.
  private func series(_ points: (ReportedRun) -> [Chart.Point], at point: String) -> [Chart.Series] {
    // A variant has its colour in all charts, also where others have no line.
    groups.filter { $0.point == point }.prefix(Self.mostGroups).enumerated().map { colour, group in
      let all = group.runs.map(points).filter { !$0.isEmpty }
      guard all.count > 1 else { return Chart.Series(name: group.name, points: all.first ?? [], colour: colour) }
      let count = all.map(\.count).min()!
      return Chart.Series(
        name: group.name,
        points: (0..<count).map { index in
          let values = all.map { $0[index].y }
          return Chart.Point(
            x: all[0][index].x, y: Statistics.mean(values)!, spread: Statistics.standardDeviation(values) ?? 0)
        }, colour: colour)
    }
  }

  private func charts(
    _ all: [(title: String, by: String, isFraction: Bool, points: (ReportedRun) -> [Chart.Point])]
  ) -> [Chart] {
    let points = groups.map(\.point).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let charts = points.flatMap { point in
      all.compactMap { chart in
        Chart(
          point.isEmpty ? chart.title : "\(chart.title), \(point)", by: chart.by, series(chart.points, at: point),
          isFraction: chart.isFraction)
      }
    }
    return Array(charts.prefix(Self.mostCharts))
  }

  var accuracyAndLoss: ChartSection {
    func epochs(_ title: String, _ name: String) -> (String, String, Bool, (ReportedRun) -> [Chart.Point]) {
      (title, "epoch", Comparison.isFraction(name), { $0.records.ofEpochs(name) })
    }
    var section = ChartSection()
    section.intro = "A line a variant; over several seeds the mean, with a band of one standard deviation."
    section.charts = charts([
      epochs("Test accuracy", "test_accuracy"), epochs("Validation accuracy", "validation_accuracy"),
      epochs("Accuracy on training images", "train_eval_accuracy"), epochs("Test loss", "test_loss"),
      epochs("Training loss", "train_loss"), epochs("Generalisation gap", "generalization_gap"),
    ])
    if section.charts.isEmpty { section.missing = ["No epoch of these runs has been measured yet."] }
    return section
  }

  var refinement: ChartSection {
    var section = ChartSection()
    let refined = groups.filter { $0.runs[0].steps > 0 }
    guard !refined.isEmpty else {
      section.missing = ["None of these runs had a refinement: all are plain training."]
      return section
    }
    let plain = groups.filter { $0.runs[0].steps == 0 }.map(\.name)
    if !plain.isEmpty { section.missing = ["Without refinement, so without a line here: \(listed(plain, most: 6))."] }
    section.charts = charts([
      ("Loss at x_0", "step", false, { $0.records.ofSteps("loss_at_x0") }),
      (
        "What the refinement takes off the loss", "step", false,
        { run in
          run.records.ofSteps { step in step["loss_at_x0"].flatMap { start in step["loss_at_xT"].map { start - $0 } } }
        }
      ),
      ("How far pixels move", "step", false, { $0.records.ofSteps("perturbation") }),
      (
        "Distillation's share of the loss", "step", true,
        { $0.steps > 0 ? $0.records.ofSteps(RefinementSummary.distillationShare) : [] }
      ),
      ("Alpha", "step", false, { $0.steps > 0 ? $0.records.ofSteps("alpha") : [] }),
    ])
    return section
  }

  var time: ChartSection {
    var section = ChartSection()
    section.intro = "Time by the clock of the machine that trained, so it counts whatever else ran there."
    section.charts = charts([
      ("Seconds a step", "epoch", false, { $0.records.ofEpochs("seconds_per_step") }),
      ("Seconds an epoch", "epoch", false, { $0.records.ofEpochs("seconds") }),
    ])
    if section.charts.isEmpty { section.missing = ["No epoch of these runs has ended yet."] }
    return section
  }

  // MARK: Configuration

  var settings: Page.Configuration {
    var settings = Page.Configuration()
    let first = groups.map { $0.runs[0] }
    let keys = ConfigurationTable.keys.filter { key in
      key.role != .place && Set(first.map { key.write($0.configuration) }).count > 1
    }
    let shown = Array(groups.prefix(Self.mostGroups))
    settings.tables = [
      PageTable(
        "Where they differ",
        header: ["key"] + shown.map { [$0.point, $0.name].filter { !$0.isEmpty }.joined(separator: " ") },
        rows: keys.map { key in
          [PageTable.Cell(key.path)] + shown.map { PageTable.Cell(key.write($0.runs[0].configuration)) }
        })
    ]
    settings.texts = first.prefix(4).map { Page.Text(run: $0.directory, text: $0.configuration.resolvedYAML) }
    return settings
  }
}
