import Logging
import Reporting

/// What rank 0 keeps of a run: records, the console, checkpoints. Other ranks have none.
package final class RunJournal {
  package let directory: RunDirectory
  private let plan: RunPlan
  private let console: Console
  private let logger: Logger
  private let metrics: MetricsLog
  private var store: CheckpointStore
  private var failedSaves = 0
  /// Records that could not be written yet, oldest first.
  private var unwritten: [Record] = []

  private enum Record {
    case step(StepRecord)
    case epoch(EpochRecord)
  }
  private var hasWarnedOfPerturbation = false
  private(set) var lastCheckpoint: String?

  package init(directory: RunDirectory, store: CheckpointStore, plan: RunPlan, console: Console, logger: Logger)
    throws
  {
    (self.directory, self.store, self.plan, self.console, self.logger) = (directory, store, plan, console, logger)
    try directory.write(plan.configuration.resolvedYAML, to: "config.yaml")
    metrics = try MetricsLog(path: directory.metricsPath)
  }

  /// Drops what a resumed run will write again: records after its step, and of the epoch that was cut there.
  func resume(from progress: TrainingProgress, checkpoint: String?) throws {
    lastCheckpoint = checkpoint
    try metrics.truncate(afterStep: progress.step, unfinishedEpoch: progress.position > 0 ? progress.epoch : nil)
  }

  func warn(_ text: String) { logger.warning("\(text)") }
  func line(_ text: String) { console.line(text) }

  /// Writes what waits, then `record`. A disk that is full does not end the run: what cannot be written waits, with one
  /// warning, until it can, or until the run's last save.
  private func append(_ record: Record) {
    unwritten.append(record)
    do {
      try writeRecords()
    } catch {
      if unwritten.count == 1 { warn("\(error); the run goes on, and its records wait") }
    }
  }

  private func writeRecords() throws(RecordError) {
    while let record = unwritten.first {
      switch record {
      case .step(let record): try metrics.append(record)
      case .epoch(let record): try metrics.append(record)
      }
      unwritten.removeFirst()
    }
  }

  func record(_ report: StepReport, isLogged: Bool) {
    if isLogged { append(.step(report.record)) }
    if report.mode.isCyclic, !hasWarnedOfPerturbation, report.sums.perturbation < 1e-6, plan.configuration.icp.steps > 0
    {
      hasWarnedOfPerturbation = true
      warn(
        "step \(report.step): the refinement moves pixels by \(report.sums.perturbation) on average, numerically nothing; "
          + "raise icp.step_size (or set icp.reduction: sum)")
    }
    console.show(
      RunProgress(
        epoch: report.mode.epoch, epochs: plan.configuration.training.epochs, step: report.step,
        steps: min(plan.totalSteps, plan.configuration.training.maxSteps ?? .max), loss: report.totalLoss,
        imagesPerSecond: report.imagesPerSecond))
  }

  func record(_ report: EpochReport) {
    append(.epoch(report.record))
    let validation = report.validation.map { "  validation \(percent($0.accuracy))" } ?? ""
    console.line(
      "epoch \(report.epoch + 1)/\(plan.configuration.training.epochs) done: train loss "
        + "\(decimal(report.trainLoss, places: 4))  train \(percent(report.trainAccuracy))\(validation)  test "
        + "\(percent(report.test.accuracy))  \(duration(report.seconds))")
  }

  /// A failed save warns and the run goes on, and the result is false; three in a row, or the last one, throw.
  func save(_ state: TrainingState, metric: (value: Double, higherIsBetter: Bool)?, isLast: Bool) throws -> Bool {
    do {
      try writeRecords()
      try metrics.synchronize()
      let saved = try store.save(
        state.snapshot(plan: plan), step: state.progress.step, metric: metric?.value,
        higherIsBetter: metric?.higherIsBetter ?? false)
      for warning in saved.warnings { warn(warning) }
      failedSaves = 0
      lastCheckpoint = saved.path
      return true
    } catch  where error is SaveError || error is RecordError {
      failedSaves += 1
      guard failedSaves < 3, !isLast else { throw error }
      warn("step \(state.progress.step) was not saved: \(error); the run goes on, the previous checkpoint stays")
      return false
    }
  }

  func finish() { console.finish() }
}

/// "91.40 %"
func percent(_ fraction: Double) -> String { "\(decimal(fraction * 100, places: 2)) %" }
