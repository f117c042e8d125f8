import Configuration
import Files
import Foundation
import Reporting

/// A run as its files tell of it.
package struct StudyRun: Sendable {
  package var directory: String
  package var point: String
  package var variant: String
  package var seed: Int
  package var provenance: String?
  /// Of a search's trial: by what trials are compared, and what was drawn.
  package var searchMetric: String?
  package var drawn: String?
  /// Where it failed: the exit status.
  package var failure: Int32?
  /// The numbers of each epoch's record, in order; those of the record `final` are the last epoch's.
  package var epochs: [[String: Double]]

  package init(
    directory: String, point: String, variant: String, seed: Int, provenance: String? = nil, failure: Int32? = nil,
    epochs: [[String: Double]]
  ) {
    self.directory = directory
    self.point = point
    self.variant = variant
    self.seed = seed
    self.provenance = provenance
    self.failure = failure
    self.epochs = epochs
  }

  /// A run of a sweep that is done or has failed; nil of any other directory.
  package init?(note directory: String) {
    guard let note = RunNote.read(directory) else { return nil }
    self.init(
      directory: directory, point: note.point, variant: note.variant, seed: note.seed, provenance: note.provenance,
      failure: note.exitStatus, epochs: Self.epochs(in: directory))
    searchMetric = note.searchMetric
    drawn = note.drawn
  }

  /// Lists of numbers, nulls and torn lines are left out.
  static func epochs(in directory: String) -> [[String: Double]] {
    var epochs: [[String: Double]] = []
    for record in RecordLines.read("\(directory)/metrics.jsonl") {
      let numbers = record.compactMapValues { ($0 as? NSNumber)?.doubleValue }
      switch record["kind"] as? String {
      case "epoch": epochs.append(numbers)
      case "final" where !epochs.isEmpty: epochs[epochs.count - 1].merge(numbers) { own, _ in own }
      default: break
      }
    }
    return epochs
  }

  /// Of the last epoch; nil where it failed, or no record has it.
  package func last(_ metric: String) -> Double? { failure == nil ? epochs.last?[metric] : nil }

  /// The best of any epoch, in hindsight.
  package func best(_ metric: String) -> Double? {
    guard failure == nil else { return nil }
    let values = epochs.compactMap { $0[metric] }
    return SettingSearch.isLowerBetter(metric) ? values.min() : values.max()
  }

  /// Seconds of training up to and with each epoch, without evaluation and saving: the epoch's steps times their
  /// median. So a run that was stopped and resumed counts what it would have taken in one go.
  package var trainingSeconds: [Double] { cumulated(["seconds_per_step"]) }

  /// The same of the processor's time of rank 0, where it was recorded: what training costs, on a machine with other
  /// work too.
  package var compute: [Double] { cumulated(["processor_seconds_per_step", "seconds_per_step"]) }

  private func cumulated(_ keys: [String]) -> [Double] {
    let perStep = epochs.map { epoch in keys.lazy.compactMap { epoch[$0] }.first }
    // An epoch whose steps were all made before the last resume has none of its own.
    let usual = Statistics.median(perStep.compactMap(\.self))
    var (total, step) = (0.0, 0.0)
    return zip(epochs, perStep).map { epoch, own in
      let last = epoch["step"] ?? step
      defer { step = last }
      total += (own ?? usual).map { $0 * (last - step) } ?? epoch["seconds"] ?? 0
      return total
    }
  }

  package var secondsPerStep: Double? { trainingSeconds.last.flatMap(perStep) }
  package var computePerStep: Double? { compute.last.flatMap(perStep) }

  private func perStep(_ seconds: Double) -> Double? {
    guard failure == nil, let steps = epochs.last?["step"], steps > 0 else { return nil }
    return seconds / steps
  }
}

extension [StudyRun] {
  /// What their last epochs have.
  package var recorded: Set<String> { Set(flatMap { $0.epochs.last.map { Array<String>($0.keys) } ?? [] }) }
}
