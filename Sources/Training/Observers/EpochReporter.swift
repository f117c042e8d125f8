import Configuration
import Datasets
import Evaluation
import Foundation
import MPI
import Models
import Optimization
import Planning
import Reporting
import Runtime

/// Measures each epoch that has ended, and with `evaluation.every_steps` within epochs, over all ranks, and records it.
/// Comes after the saver: a kill or a request to stop within an evaluation loses nothing, and a run that goes on from
/// the checkpoint measures again.
package final class EpochReporter: RunObserver {
  private let evaluator: Evaluator
  private let journal: RunJournal?
  private let saver: CheckpointSaver
  private var latest: EpochReport?
  /// Since the epoch before, or the start.
  private var watch = Stopwatch()
  /// Of each step since the last report: seconds, and processor seconds of this process.
  private var stepTimes: [Double] = []
  private var stepProcessorTimes: [Double] = []

  package init(_ evaluator: Evaluator, _ journal: RunJournal?, _ saver: CheckpointSaver) {
    self.evaluator = evaluator
    self.journal = journal
    self.saver = saver
  }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    stepTimes.append(step.seconds)
    stepProcessorTimes.append(step.processorSeconds)
    guard isDueWithinEpoch(trainer) else { return }
    try evaluateWithinEpoch(
      trainer, isSaved: isDue(trainer.plan.configuration.checkpoint.everySteps, trainer.progress.step))
  }

  /// A run that was stopped, or killed, between a step and its evaluation.
  package func runBegins(of trainer: Trainer) throws {
    guard trainer.progress.step > 0, isDueWithinEpoch(trainer) else { return }
    let isMeasured: [UInt8] = journal?.hasEvaluation(ofStep: trainer.progress.step) == true ? [1] : [0]
    guard try trainer.communicator.broadcast(isMeasured, from: 0) == [0] else { return }
    try evaluateWithinEpoch(trainer, isSaved: true)
  }

  /// The ends of epochs and of the run are measured as such.
  private func isDueWithinEpoch(_ trainer: Trainer) -> Bool {
    let progress = trainer.progress
    return isDue(trainer.plan.configuration.evaluation.everySteps, progress.step) && progress.position > 0
      && progress.step < trainer.lastStep
  }

  private func evaluateWithinEpoch(_ trainer: Trainer, isSaved: Bool) throws {
    do {
      // On every rank: an argument of a call to a journal that is not there would not be computed.
      let report = try measurement(on: trainer.progress.epoch, trainer, measures: true)
      journal?.record(evaluation: report)
    } catch is StopRequested {
      try saver.saveAndLeave(trainer, isSaved: isSaved)
    }
  }

  package func epochEnded(_ epoch: FinishedEpoch, of trainer: Trainer) throws {
    let measures = epoch.isLast || isDue(trainer.plan.configuration.evaluation.everyEpochs, epoch.number + 1)
    let report: EpochReport
    do {
      report = try self.report(on: epoch.number, trainer, measures: measures)
    } catch is StopRequested {
      try saver.saveAndLeave(trainer, isSaved: saver.saves(epoch, trainer) || epoch.isSaved)
    }
    latest = report
    journal?.record(report)
    saver.judge(report, of: epoch, trainer)
    judgePlateau(report, of: epoch, trainer)
    if epoch.isLast { try saver.finish(trainer) }
    try wait(after: report, of: epoch, trainer)
  }

  /// `schedule.kind: plateau`
  private func judgePlateau(_ report: EpochReport, of epoch: FinishedEpoch, _ trainer: Trainer) {
    let schedule = trainer.plan.configuration.schedule
    guard schedule.kind == .plateau, epoch.isWhole, let validation = report.validation else { return }
    var plateau = trainer.progress.plateau ?? Plateau()
    let isAccuracy = schedule.metric == .validationAccuracy
    let drops = plateau.judge(
      isAccuracy ? validation.accuracy : validation.loss, higherIsBetter: isAccuracy, epoch: epoch.number,
      patience: schedule.patience)
    trainer.progress.plateau = plateau
    guard drops, !epoch.isLast else { return }
    journal?.line(
      "schedule.kind: plateau: no better \(schedule.metric.rawValue) than \(decimal(plateau.best ?? .nan, places: 4)) for more "
        + "than \(counted(schedule.patience, "epoch")); the learning rate is \(short(trainer.learningRate)) from here on"
    )
  }

  private func short(_ rate: Double) -> String { String(format: "%.4g", rate) }

  /// `training.patience`
  private func wait(after report: EpochReport, of epoch: FinishedEpoch, _ trainer: Trainer) throws {
    let configuration = trainer.plan.configuration
    guard configuration.training.patience != nil, epoch.isWhole,
      let metric = report.metric(configuration.checkpoint.metric)
    else { return }
    trainer.progress.judge(metric.value, higherIsBetter: metric.higherIsBetter, epoch: epoch.number)
    guard trainer.hasWaited, !epoch.isLast, let best = trainer.progress.best else { return }
    journal?.line(
      "training.patience: no better \(configuration.checkpoint.metric.rawValue) than \(decimal(best.value, places: 4)) "
        + "of epoch \(best.epoch + 1); the run ends after epoch \(epoch.number + 1)")
    try saver.end(epoch, trainer)
  }

  /// The report of the run's end: of an earlier start, where nothing was left to do.
  package func lastReport(of trainer: Trainer) throws -> EpochReport {
    if let latest { return latest }
    let progress = trainer.progress
    guard progress.position > 0 else { return try report(on: max(progress.epoch - 1, 0), trainer, measures: true) }
    // In the middle of an epoch, whose record went at the resume since it is of a part.
    let report = try report(on: progress.epoch, trainer, measures: true)
    journal?.record(report)
    return report
  }

  private func report(on epoch: Int, _ trainer: Trainer, measures: Bool) throws -> EpochReport {
    var report = try measurement(on: epoch, trainer, measures: measures)
    report.seconds = watch.seconds
    report.savingSeconds = saver.takeSeconds()
    report.secondsPerStep = Statistics.median(stepTimes)
    report.processorSecondsPerStep = Statistics.median(stepProcessorTimes)
    watch = Stopwatch()
    stepTimes.removeAll(keepingCapacity: true)
    stepProcessorTimes.removeAll(keepingCapacity: true)
    return report
  }

  /// Without times.
  private func measurement(on epoch: Int, _ trainer: Trainer, measures: Bool) throws -> EpochReport {
    let (plan, progress) = (trainer.plan, trainer.progress)
    defer { trainer.clock.enter(.records) }
    func measure(_ dataset: Dataset?, of average: WeightAverage? = nil) throws -> ClassificationMetrics? {
      try measures ? dataset.map { try evaluator.evaluate($0, normalization: plan.normalization, of: average) } : nil
    }
    let test = try measure(plan.data.test)
    let validation = try measure(plan.data.validation)
    let trainSample = try measure(plan.trainSample)
    let averaged = try trainer.average.map { average in
      try EpochReport.Splits(
        test: measure(plan.data.test, of: average), validation: measure(plan.data.validation, of: average))
    }
    return EpochReport(
      step: progress.step, epoch: epoch, trainLoss: progress.trainLoss, trainAccuracy: progress.trainAccuracy,
      test: test, validation: validation, trainSample: trainSample, averaged: averaged,
      labelNoiseRate: plan.labelNoiseRate)
  }
}
