import Checkpointing
import Configuration
import Evaluation
import Files
import Formats
import Logging
import Method
import Planning
import Reporting
import Runtime
import Supervision

/// What rank 0 keeps of a run: records, the console, checkpoints. Other ranks have none.
package final class RunJournal {
  package let directory: RunDirectory
  private let plan: RunPlan
  private let console: Console
  private let logger: Logger
  private let metrics: MetricsLog
  /// Nil without `logging.tensorboard`, and once it could not be written.
  private var events: EventLog?
  private let writer: CheckpointWriter
  /// In a row.
  private var failedSaves = 0
  /// Why the newest save failed.
  private var unsaved: (any Error)?
  /// What must end the run, on all ranks: three saves in a row failed, or the last one. Known from the next step's
  /// boundary on.
  package private(set) var failure: (any Error)?
  private var isLast = false
  /// Records that could not be written yet, oldest first.
  private var unwritten: [Record] = []
  private var hasWarnedOfPerturbation = false
  /// The logged steps of the epoch, for its line about the method.
  private var logged: [[String: Double]] = []
  /// Of the epoch since this start: images, and the seconds of their steps.
  private var pace = (epoch: -1, images: 0.0, seconds: 0.0)
  package private(set) var lastCheckpoint: String?

  /// `system`: the calls with which records are written.
  package init(
    directory: RunDirectory, store: CheckpointStore, plan: RunPlan, console: Console, logger: Logger,
    system: System = System()
  ) throws {
    self.directory = directory
    self.plan = plan
    self.console = console
    self.logger = logger
    writer = CheckpointWriter(store, in: directory)
    func write(_ text: String, to name: String, isWritten: ([UInt8]) -> Bool) throws(SaveError) {
      if let kept = try Self.keepNotes(in: name, of: directory, isWritten) {
        logger.warning("\(directory.path)/\(name) held more than a run writes: that is \(kept) now")
      }
      try directory.write(text, to: name)
    }
    try write(plan.settledConfiguration.resolvedYAML, to: RunDirectory.configName) {
      (try? RunConfiguration.isWritten(String(decoding: $0, as: UTF8.self), name: directory.configPath)) == true
    }
    if let labels = Self.labels(of: plan) {
      try write(labels, to: RunDirectory.labelsName, isWritten: Self.areWrittenLabels)
    } else {
      try directory.removeLabels(where: Self.areWrittenLabels)
    }
    metrics = try MetricsLog(path: directory.metricsPath, system: system)
    events = plan.configuration.logging.tensorboard ? EventLog(path: directory.eventsPath, system: system) : nil
  }

  /// Where a file of an earlier start has words of the user's in it, it is set aside: its new path.
  private static func keepNotes(
    in name: String, of directory: RunDirectory, _ isWritten: ([UInt8]) -> Bool
  ) throws(SaveError) -> String? {
    guard let bytes = try? RegularFile.read("\(directory.path)/\(name)", followLinks: false), !isWritten(bytes) else {
      return nil
    }
    return try directory.setAside(name)
  }

  /// Every training sample's number in the data's files, its true label and the one it is trained on; nil where they
  /// are the same by configuration.
  private static func labels(of plan: RunPlan) -> String? {
    guard plan.configuration.data.labelNoise.kind != .none else { return nil }
    let training = plan.data.training
    let lines = (0..<training.count).map {
      "\(training.position(of: $0)),\(training.trueLabel($0)),\(training.label($0))\n"
    }
    return labelsHeader + lines.joined()
  }

  private static let labelsHeader = "index,true,given\n"

  /// Whether a file's bytes are what a run writes of its labels, as far as a user would miss them: notes have letters.
  private static func areWrittenLabels(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: labelsHeader.utf8)
      && bytes.dropFirst(labelsHeader.utf8.count).allSatisfy { "0123456789,\n".utf8.contains($0) }
  }

  /// Goes on from `progress`, at a start or after a rollback, and from a checkpoint where there is one. Later
  /// checkpoints are set aside, and the records that will be written again are dropped: those of later steps, and of
  /// the epoch that was cut there, or is still to be evaluated.
  package func resume(at progress: TrainingProgress, from resumed: Resumed?) throws {
    if let resumed {
      let metadata = namingMetric(resumed.metadata)
      let later = try writer.withStore {
        try $0.resume(
          from: Snapshot(tensors: [], metadata: metadata), step: progress.step, path: resumed.path)
      }
      let metric = plan.configuration.checkpoint.metric.rawValue
      let changed = metadata["best_metric_name"].flatMap { $0 == metric ? nil : $0 }
      if let changed {
        let old = later.first { $0.hasSuffix("/best.safetensors") }.map { ", and \($0) is set aside" } ?? ""
        warn(
          "checkpoint.metric is \(metric), but the best so far was chosen by \(quoted(changed)): best starts anew\(old)"
        )
      }
      for path in later where changed == nil || !path.hasSuffix("/best.safetensors") {
        warn("\(path) is of a later step than the run goes on from: set aside")
      }
      lastCheckpoint = resumed.path
    }
    unwritten = []
    let unfinished = progress.awaitsEvaluation ? progress.epoch - 1 : progress.position > 0 ? progress.epoch : nil
    try metrics.truncate(afterStep: progress.step, unfinishedEpoch: unfinished)
    rebuildEvents(at: progress)
  }

  /// What is shown of a step is shown at the end of its epoch: of the one that was cut there, it comes again.
  private func rebuildEvents(at progress: TrainingProgress) {
    guard let events else { return }
    do throws(SaveError) {
      try events.rebuild(from: metrics.path, session: plan.configuration.session) { step in
        step <= progress.step && step % plan.stepsPerEpoch == 0
      }
    } catch { leaveEvents(error) }
  }

  /// They are a copy: where that fails, the run goes on without, and the next start makes it anew.
  private func leaveEvents(_ error: SaveError) {
    events = nil
    warn("\(error); TensorBoard's file ends here, and is made anew by the next start (logging.tensorboard)")
  }

  /// What TensorBoard shows of a step beside the records' numbers. `values` are made in the background.
  func show(step: Int, _ values: @escaping @Sendable () -> [EventFile.Event.Value]) {
    if let failure = events?.failure { leaveEvents(failure) }
    events?.append(step: step, values)
  }

  /// A checkpoint of an earlier version has a best without the name of its metric, which its configuration tells.
  private func namingMetric(_ metadata: [String: String]) -> [String: String] {
    guard metadata["best_metric"] != nil, metadata["best_metric_name"] == nil, let text = metadata["config"],
      let saved = try? RunConfiguration(yaml: text, name: "config")
    else { return metadata }
    return metadata.merging(["best_metric_name": saved.checkpoint.metric.rawValue]) { own, _ in own }
  }

  /// What is traced is no part of the run: where it cannot be written, the run goes on.
  func write(_ trace: TraceFile, of steps: ClosedRange<Int>) {
    do {
      try directory.write(trace.text, to: RunDirectory.traceName)
      let name = steps.count == 1 ? "step \(steps.lowerBound)" : "steps \(steps.lowerBound) to \(steps.upperBound)"
      line("\(name) traced: \(directory.tracePath); https://ui.perfetto.dev shows it")
    } catch { warn("\(error); there is no trace") }
  }

  func warn(_ text: String) { logger.warning("\(text)") }
  package func line(_ text: String) { console.line(text) }

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

  private func writeRecords() throws(SaveError) {
    while let record = unwritten.first {
      try metrics.append(record)
      unwritten.removeFirst()
      if let failure = events?.failure { leaveEvents(failure) }
      events?.append(record)
    }
  }

  /// `values` of the step, by name. `seconds` that it took; `meanLoss`: the task's, of the epoch so far.
  package func record(
    step: Int, _ context: StepContext, values: NamedValues, seconds: Double, meanLoss: Double
  ) {
    if pace.epoch != context.epoch {
      pace = (context.epoch, 0, 0)
      logged = []
    }
    pace.images += Double(context.batchCount)
    pace.seconds += seconds
    if context.isLogged {
      append(.step(step, epoch: context.epoch, values))
      logged.append(values.numbers)
    }
    if !hasWarnedOfPerturbation, let moved = values.number("perturbation"), moved < 1e-6,
      plan.configuration.icp.steps > 0
    {
      hasWarnedOfPerturbation = true
      warn(
        "step \(step): the refinement moves pixels by \(moved) on average, numerically nothing; "
          + "raise icp.step_size (or set icp.reduction: sum)")
    }
    console.show(
      RunProgress(
        epoch: context.epoch, epochs: plan.configuration.training.epochs, step: step,
        steps: lastStep, epochEnd: min((context.epoch + 1) * plan.stepsPerEpoch, lastStep), loss: meanLoss,
        imagesPerSecond: pace.images / pace.seconds))
  }

  private var lastStep: Int { min(plan.totalSteps, plan.configuration.training.maxSteps ?? .max) }

  /// Whether what `evaluation.every_steps` measures of a step is recorded.
  func hasEvaluation(ofStep step: Int) -> Bool {
    RecordLines.read(metrics.path).contains {
      $0["kind"] as? String == Record.Kind.evaluation.rawValue && $0["step"] as? Int == step
    }
  }

  /// Of an evaluation within an epoch.
  func record(evaluation report: EpochReport) {
    append(report.evaluation)
    console.line("step \(report.step):\(scores(report))")
  }

  /// "  validation 91.40 %  test 90.10 %"
  private func scores(_ report: EpochReport) -> String {
    let validation = report.validation.map { "  validation \(percent($0.accuracy))" } ?? ""
    let test = report.test.map { "  test \(percent($0.accuracy))" } ?? ""
    let averaged = report.averaged?.test.map { " (ema \(percent($0.accuracy)))" } ?? ""
    return "\(validation)\(test)\(averaged)"
  }

  package func record(_ report: EpochReport) {
    append(report.record)
    console.line(
      "epoch \(report.epoch + 1)/\(plan.configuration.training.epochs) done: train loss "
        + "\(decimal(report.trainLoss, places: 4))  train \(percent(report.trainAccuracy))\(scores(report))  "
        + "\(duration(report.seconds))")
    if let method = RefinementSummary(logged) { console.line("  \(method.text)") }
  }

  /// After the last save; what cannot be written now ends the run, since nothing comes after it.
  package func record(_ report: FinalReport, endOf run: RunResult) throws {
    unwritten.append(.final(step: run.progress.step, epoch: run.report.epoch, report.values))
    try writeRecords()
    if let warning = report.robustness.attacks?.warning { warn(warning) }
    console.line("\n\(report.text)")
  }

  /// Copies the state and hands it over to be written in the background, after the records that it stands for. Where
  /// the save before is still under way, waits for it. How it ended shows at a later step's boundary, or in
  /// `finishSaving`, which the last save of a run needs.
  package func save(_ state: @autoclosure () -> TrainingState) {
    collect(waits: true)
    // The next step tells all ranks.
    guard failure == nil else { return }
    let state = state()
    do {
      try writeRecords()
    } catch {
      return count(error, step: state.progress.step)
    }
    writer.begin(step: state.progress.step) { [metrics, plan] in
      try metrics.synchronize()
      return state.snapshot(plan: plan)
    }
  }

  /// After the save of `step`: names its checkpoint the best, where its metric is.
  package func judge(step: Int, by metric: (value: Double, higherIsBetter: Bool)) {
    writer.judge(step: step, metric: metric.value, higherIsBetter: metric.higherIsBetter)
  }

  /// Returns once the last save is on the disk, and what TensorBoard shows in its file. Throws where the save failed,
  /// or three before it did.
  package func finishSaving() throws {
    isLast = true
    events?.finish()
    collect(waits: true)
    if let error = failure ?? unsaved { throw error }
  }

  /// At every step's boundary: tells of the saves that have ended since.
  package func collect(waits: Bool = false) {
    for outcome in writer.outcomes(waits: waits) {
      switch outcome.result {
      case .success(let saved):
        guard let saved else { continue }
        for warning in saved.warnings { warn(warning) }
        failedSaves = 0
        unsaved = nil
        lastCheckpoint = saved.path
      case .failure(let error): count(error, step: outcome.step)
      }
    }
  }

  /// A failed save warns and the run goes on; the third in a row, or the last one, ends it.
  private func count(_ error: any Error, step: Int) {
    failedSaves += 1
    unsaved = error
    guard failedSaves < 3, !isLast else { return failure = failure ?? error }
    warn("step \(step) was not saved: \(error); the run goes on, the previous checkpoint stays")
  }

  /// The newest checkpoint on the disk, once the save under way has ended; nil where there is none yet.
  package func newestCheckpoint() throws -> String? {
    collect(waits: true)
    if let failure { throw failure }
    guard let point = try writer.withStore({ try $0.newestValid() }) else { return nil }
    for skipped in point.skipped { warn("skipped a checkpoint: \(skipped)") }
    return point.path
  }

  package func finish() {
    collect(waits: true)
    events?.finish()
    if let failure = events?.failure { leaveEvents(failure) }
    console.finish()
  }
}
