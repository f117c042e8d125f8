import Checkpointing
import Files
import Foundation
import Runtime
import Studies

/// `icp report`: one page about a run, several runs, or a study.
package struct RunReport {
  private let options: ReportOptions
  /// Directories of runs.
  private let runs: [String]

  /// Throws UsageError where a path holds no run.
  package init(_ options: ReportOptions) throws {
    self.options = options
    runs = try options.paths.flatMap { (path) -> [String] in
      let found = RunCollection.found(in: path)
      guard !found.isEmpty else {
        throw UsageError(
          "\(path): no run here: expected a run's directory, with config.yaml and metrics.jsonl, or a study's")
      }
      return found
    }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    guard runs.count == 1 || options.checkpoint.map(Self.fits) ?? true else {
      throw UsageError("--checkpoint FILE is of one run, and these are \(runs.count); expected last or best")
    }
  }

  private static func fits(_ checkpoint: TrainedRun.Checkpoint) -> Bool {
    if case .file = checkpoint { false } else { true }
  }

  /// Where the page goes where nobody says: into the run's or the study's directory; of several, here.
  package var defaultOutput: String {
    let path = options.paths[0]
    return options.paths.count == 1
      ? "\(path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path)/report.html" : "report.html"
  }

  /// Of every page, by which one of ours is known again.
  package static let mark = PageTemplate.mark

  /// What the page is made of, and what is not to be replaced by it.
  package var inputs: [(name: String, path: String)] {
    runs.flatMap { [("a run's configuration", "\($0)/config.yaml"), ("a run's records", "\($0)/metrics.jsonl")] }
  }

  /// Seconds for the measurement of test images, over all runs.
  private static let seconds = 3.5
  /// For pictures, of the 5 MB that a page may have.
  private static let bytes = 2_600_000

  package func html() throws -> String {
    runs.count == 1 ? try single(runs[0]).html : try several().html
  }

  // MARK: One run

  private func single(_ directory: String) throws -> Page {
    let run = try ReportedRun(directory, options, seconds: Self.seconds)
    var page = Page(title: directory, subtitle: "\(run.title), \(counted(run.epochs, "epoch")) measured")
    page.figures = run.figures
    page.summary = run.summary
    page.commands = run.next
    page.accuracy = run.accuracyAndLoss
    page.refinement = run.refinement
    page.time = run.time
    page.configuration = run.settings
    try add(run, to: &page, bytes: Self.bytes)
    return page
  }

  private func add(_ run: ReportedRun, to page: inout Page, bytes: Int) throws {
    page.pictures.append(try PictureBlock(run, bytes: bytes * 3 / 4))
    page.confusion.append(try ConfusionBlock(run, bytes: bytes / 4))
    page.calibration.append(CalibrationBlock(run))
  }

  // MARK: Several

  private func several() throws -> Page {
    let overlay = try RunOverlay(runs, paths: options.paths, baseline: options.baseline)
    var page = Page(
      title: options.paths.joined(separator: ", "),
      subtitle: "\(counted(runs.count, "run")) of \(counted(overlay.groups.count, "variant"))")
    page.isSeveral = true
    page.summary = overlay.summary
    page.comparison = [overlay.comparisonSection]
    page.accuracy = overlay.accuracyAndLoss
    page.refinement = overlay.refinement
    page.time = overlay.time
    page.configuration = overlay.settings
    let shown = overlay.shown
    for directory in shown {
      let run = try ReportedRun(directory, options, seconds: Self.seconds / Double(shown.count))
      try add(run, to: &page, bytes: Self.bytes / shown.count)
    }
    if shown.count < runs.count {
      page.summary.append(
        "Pictures, confusion and calibration are of \(counted(shown.count, "run")), the first of each of "
          + "\(shown.count == overlay.groups.count ? "the" : "\(shown.count)") variants; icp report with one run shows those of any other."
      )
    }
    return page
  }
}
