import Foundation
import Reporting

/// What the runs of a study say together: by point of its grid and by variant, over seeds.
package struct Comparison {
  /// Of one number over seeds.
  package struct Spread: Codable, Sendable, Equatable {
    package var count: Int
    package var mean: Double
    /// Nil of one seed.
    package var standardDeviation: Double?

    init?(_ values: [Double]) {
      guard let mean = Statistics.mean(values) else { return nil }
      count = values.count
      self.mean = mean
      standardDeviation = Statistics.standardDeviation(values)
    }
  }

  /// Of a variant's value minus the baseline's of the same seed.
  package struct Difference: Codable, Sendable, Equatable {
    package var count: Int
    package var mean: Double
    /// Half the width of the 95 % interval of the mean; nil of one pair.
    package var halfWidth: Double?
  }

  package struct Row: Codable, Sendable {
    package var point: String
    package var variant: String
    package var seeds: [Int]
    package var failed: Int
    /// By name: the value of the last epoch.
    package var last: [String: Spread]
    /// By name: the best of any epoch, in hindsight; of the split that it is named after.
    package var best: [String: Spread]
    /// By name, of the last epoch; empty for the baseline.
    package var differences: [String: Difference]
    /// Of the best epoch.
    package var bestDifferences: [String: Difference]
    /// Medians over the runs.
    package var secondsPerStep: Double?
    package var trainingSeconds: Double?
    package var epochs: Double?
    /// A run's compute, in the baseline's.
    package var cost: Double?
    package var provenance: String?
    /// Of a trial: what was drawn.
    package var drawn: String?
  }

  package let rows: [Row]
  package let runs: [StudyRun]
  /// What the study asks, for people; nil where nobody says.
  package let about: String?
  package let baseline: String?
  package let points: [String]
  /// What the tables are about, first the one that is compared.
  package let metrics: [String]
  package let unfinished: Int
  /// By what the trials of a search are compared, where these are some.
  package let searchMetric: String?
  let variants: [String]

  /// Shown beside the accuracy where records have them and nobody chose.
  private static let usual = [
    "train_eval_accuracy", "generalization_gap", "test_ece", "train_accuracy_right_labels",
    "train_accuracy_wrong_labels",
  ]

  init(runs: [StudyRun], outline: StudyOutline, unfinished: Int) {
    self.init(
      runs: runs, baseline: outline.baseline, order: outline.variants, points: outline.points, unfinished: unfinished,
      metrics: outline.metrics, searchMetric: outline.searchMetric, about: outline.about)
  }

  /// - Parameters:
  ///   - order, points: of the rows and tables; others that occur come after them.
  ///   - metrics: more columns; empty: those of the usual ones that the records have.
  package init(
    runs: [StudyRun], baseline: String?, order: [String] = [], points: [String] = [], unfinished: Int = 0,
    metrics: [String] = [], searchMetric: String? = nil, about: String? = nil
  ) {
    self.about = about
    func ordered(_ first: [String], _ found: [String]) -> [String] {
      (first + found).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.filter(found.contains)
    }
    self.runs = runs
    let variants = ordered(order, runs.map(\.variant))
    let points = ordered(points, runs.map(\.point))
    let baseline = baseline.flatMap { variants.contains($0) ? $0 : nil }
    self.variants = variants
    self.points = points
    self.baseline = baseline
    self.unfinished = unfinished
    let searchMetric = searchMetric ?? runs.compactMap(\.searchMetric).first
    self.searchMetric = searchMetric
    let recorded = runs.recorded
    let usual = Self.usual.filter { recorded.contains($0) && (searchMetric == nil || !Self.isOfTest($0)) }
    let more = metrics.isEmpty ? usual : metrics
    self.metrics = ([searchMetric ?? "test_accuracy"] + more).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
    rows = points.flatMap { point in
      let here = runs.filter { $0.point == point }
      return variants.compactMap { variant -> Row? in
        let own = here.filter { $0.variant == variant }
        guard !own.isEmpty else { return nil }
        return Row(point: point, variant: variant, runs: own, baseline: here.filter { $0.variant == baseline })
      }
    }
  }

  /// Whether the test set has a part in it: such figures stay out of a search.
  private static func isOfTest(_ metric: String) -> Bool {
    metric.hasPrefix("test_") || metric == "generalization_gap"
  }

  /// How a number is shown: accuracies and gaps in per cent, others as they are.
  package static func isFraction(_ metric: String) -> Bool {
    metric.contains("accuracy") || ["_f1", "gap", "ece", "_interval"].contains { metric.hasSuffix($0) }
  }
}

extension Comparison.Row {
  init(point: String, variant: String, runs: [StudyRun], baseline: [StudyRun]) {
    self.point = point
    self.variant = variant
    let done = runs.filter { $0.failure == nil }
    let reference = baseline.first?.variant == variant ? [] : baseline
    seeds = done.map(\.seed).sorted()
    failed = runs.count - done.count
    provenance = runs.compactMap(\.provenance).first
    drawn = runs.compactMap(\.drawn).first
    let names = done.recorded.subtracting([
      "epoch", "step", "seconds", "saving_seconds", "seconds_per_step", "processor_seconds_per_step",
      "resident_bytes",
      "open_files", "threads",
    ])
    func spreads(_ value: (StudyRun, String) -> Double?) -> [String: Comparison.Spread] {
      names.reduce(into: [:]) { spreads, name in spreads[name] = Comparison.Spread(done.compactMap { value($0, name) })
      }
    }
    func differences(_ value: (StudyRun, String) -> Double?) -> [String: Comparison.Difference] {
      names.reduce(into: [:]) { differences, name in
        differences[name] = Comparison.Difference(
          of: done.compactMap { run in value(run, name).map { (run.seed, $0) } },
          to: reference.compactMap { run in value(run, name).map { (run.seed, $0) } })
      }
    }
    last = spreads { $0.last($1) }
    best = spreads { $0.best($1) }
    self.differences = differences { $0.last($1) }
    bestDifferences = differences { $0.best($1) }
    secondsPerStep = Statistics.median(done.compactMap(\.secondsPerStep))
    trainingSeconds = Statistics.median(done.compactMap { $0.trainingSeconds.last })
    epochs = Statistics.median(done.map { Double($0.epochs.count) })
    func compute(_ runs: [StudyRun]) -> Double? {
      Statistics.median(runs.filter { $0.failure == nil }.compactMap { $0.compute.last })
    }
    if let own = compute(runs), let whole = compute(baseline), whole > 0 { cost = own / whole }
  }
}

extension Comparison.Difference {
  /// Paired by seed; nil where no seed has both. A seed that occurs twice counts once, the last.
  init?(of values: [(Int, Double)], to others: [(Int, Double)]) {
    let reference = Dictionary(others) { $1 }
    let pairs = Dictionary(values) { $1 }.sorted { $0.key < $1.key }.compactMap { seed, value in
      reference[seed].map { value - $0 }
    }
    guard let mean = Statistics.mean(pairs) else { return nil }
    count = pairs.count
    self.mean = mean
    halfWidth = Statistics.intervalHalfWidth(pairs)
  }
}
