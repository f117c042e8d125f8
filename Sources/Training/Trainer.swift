import Datasets
import Evaluation
import Kernels
import MPI
import Method
import Networks
import Optimization
import Planning
import Reduction
import Reporting
import Runtime
import Supervision

/// A run: epochs of steps, each step the paper's, its sums exact, its optimiser step the same on every rank.
package final class Trainer {
  package let plan: RunPlan
  package let model: ModelState
  package let optimizer: Optimizer
  package internal(set) var progress = TrainingProgress()

  let communicator: Communicator
  private let cyclicStep: CyclicStep
  private let reduction: GradientReduction
  private let evaluator: Evaluator
  private let gradients: Tensor
  private let statistics: Tensor
  /// A shard's, and the batch's: reused by every step.
  private var shardSums, batchSums: StepSums
  let journal: RunJournal?
  let pulse: Pulse
  private let agreement: StateAgreement
  private var straggler = Straggler()
  /// Time in which training waited for saves, since the last epoch's report.
  var savingSeconds = 0.0
  /// Of each step since the last epoch's report: seconds, and processor seconds of this process.
  private var stepTimes: [Double] = []
  private var stepProcessorTimes: [Double] = []
  /// Some rank was asked to: all stop after the same step.
  private var stops = false

  /// `journal` keeps records and checkpoints: rank 0's; others have none.
  package init(
    plan: RunPlan, model: ModelState, communicator: Communicator, journal: RunJournal?, pulse: Pulse = Pulse()
  ) {
    (self.plan, self.model, self.communicator, self.journal) = (plan, model, communicator, journal)
    self.pulse = pulse
    optimizer = Optimizer(plan.configuration.optimizer, layout: model.layout)
    cyclicStep = CyclicStep(model: model, options: plan.step, sizes: plan.batches.schedule.shardSizes)
    reduction = GradientReduction(
      layout: model.layout, taps: plan.step.taps.count, kind: plan.configuration.training.gradientReduction,
      communicator: communicator)
    evaluator = Evaluator(model: model, backend: plan.step.backend, communicator: communicator, pulse: pulse)
    agreement = StateAgreement(model: model, optimizer: optimizer, communicator: communicator)
    gradients = Tensor(count: model.layout.parameterCount)
    statistics = Tensor(count: model.layout.statisticCount)
    shardSums = StepSums(taps: plan.step.taps.count)
    batchSums = shardSums
    stepTimes.reserveCapacity(plan.stepsPerEpoch)
    stepProcessorTimes.reserveCapacity(plan.stepsPerEpoch)
  }

  /// Runs from `progress` to the end, or to `training.max_steps`; ends with an evaluation, an epoch record and a checkpoint.
  package func run() throws -> RunResult {
    let lastStep = min(plan.configuration.training.maxSteps ?? .max, plan.totalSteps)
    // What a rollback returns to until there is a checkpoint.
    let start = plan.configuration.training.nonFinite == .rollback ? state : nil
    var latest: EpochReport?
    let total = Stopwatch()
    while progress.step < lastStep {
      let loader = BatchLoader(
        plan.batches,
        shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards),
        epoch: progress.epoch, position: progress.position)
      defer { loader.stop() }
      do {
        while progress.step < lastStep, !stops { latest = try runEpoch(loader, until: lastStep) }
        if stops, progress.step < lastStep { try stop() }
      } catch let divergence as Divergence {
        try goBack(after: divergence, orTo: start!)
      }
    }
    let report = try latest ?? reportOfEarlierStart(total)
    return RunResult(progress: progress, report: report, seconds: total.seconds)
  }

  /// Where nothing was left to do: the run was resumed at its last step.
  private func reportOfEarlierStart(_ watch: Stopwatch) throws -> EpochReport {
    guard progress.position > 0 else { return try report(on: max(progress.epoch - 1, 0), watch) }
    // In the middle of an epoch, whose record went at the resume since it is of a part.
    let report = try report(on: progress.epoch, watch)
    journal?.record(report)
    return report
  }

  /// Saves and leaves, on all ranks: the run was asked to stop, and can go on from here.
  private func stop() throws {
    try save(metric: nil, isLast: true)
    throw SharedError(
      exitCode: ExitCode.stopped,
      description: "stopped on request after step \(progress.step), which is saved; --resume auto goes on from there")
  }

  /// Steps to the end of the epoch, or to `lastStep`; no report where the run stops within the epoch.
  private func runEpoch(_ loader: BatchLoader, until lastStep: Int) throws -> EpochReport? {
    let epoch = progress.epoch
    if progress.position == 0 { progress.beginEpoch() }
    let total = Stopwatch()
    while progress.epoch == epoch, progress.step < lastStep, !stops {
      journal?.collect()
      pulse.begin(step: progress.step + 1)
      try train(on: try loader.next())
      if isDue(plan.configuration.agreement.everySteps, progress.step) { try agree() }
      let endsEpoch = progress.epoch != epoch
      if !endsEpoch, progress.step < lastStep, isDue(plan.configuration.checkpoint.everySteps, progress.step) {
        try save(metric: nil)
      }
    }
    if stops, progress.epoch == epoch, progress.step < lastStep { return nil }
    let isLast = progress.step == lastStep
    let measures = isLast || isDue(plan.configuration.evaluation.everyEpochs, epoch + 1)
    let report = try report(on: epoch, total, measures: measures)
    journal?.record(report)
    if isLast || isDue(plan.configuration.checkpoint.everyEpochs, epoch + 1)
      || isDue(plan.configuration.checkpoint.everySteps, progress.step)
    {
      let metric = progress.epoch != epoch ? report.metric(plan.configuration.checkpoint.metric) : nil
      try save(metric: metric, isLast: isLast)
    }
    return report
  }

  /// One batch: its step, or what `training.non_finite` says, and the records.
  private func train(on batch: Batch) throws {
    let isLogged = (progress.step + 1) % plan.configuration.logging.everySteps == 0
    let mode = CyclicStep.Mode(
      epoch: batch.epoch, alpha: plan.alpha(batch.epoch), isCyclic: plan.isCyclic(batch.epoch),
      isLogged: isLogged, batchCount: batch.count, position: batch.position)
    let rate = plan.learningRate[progress.step] * progress.learningRateScale

    let processor = ProcessResources.processorSeconds
    let outcome = try step(batch, mode: mode, learningRate: rate)
    stepTimes.append(pulse.stepSeconds)
    stepProcessorTimes.append(ProcessResources.processorSeconds - processor)
    pulse.enter(.records)
    stops = outcome.status.stopRequests > 0
    if outcome.status.failedSavers > 0 { try endWithoutSaving() }
    if outcome.status.refused == 0 {
      progress.record(loss: batchSums.taskLoss, correct: batchSums.correct, samples: batch.count)
    } else {
      try refuse(outcome.status.refused)
    }
    progress.advance(stepsPerEpoch: plan.stepsPerEpoch)
    journal?.record(
      StepReport(
        step: progress.step, mode: mode, sums: batchSums, layerWeights: plan.step.layerWeights,
        normalization: plan.step.normalization, gradientNorm: outcome.gradientNorm, learningRate: rate,
        imagesPerSecond: Double(batch.count) / pulse.stepSeconds),
      isLogged: isLogged)
    if let ratio = straggler.record(outcome, ranks: communicator.size) {
      pulse.warn(
        "its steps take \(decimal(ratio, places: 1)) times as long as the other ranks'; look at that host, and what else it runs"
      )
    }
  }

  /// Each of this rank's shards, one reduction, one optimiser step; not that last one where a value was refused.
  /// `gradientNorm` is from before clipping, and not a number then. Allocates nothing once each size of a piece has
  /// run: oneDNN may keep what it makes at first.
  package func step(_ batch: Batch, mode: CyclicStep.Mode, learningRate: Double) throws -> StepOutcome {
    // A reduction that a test leaves out may not have begun.
    reduction.begin(step: pulse.step, streams: plan.configuration.training.overlap && !pulse.isOrdered(.skip))
    cyclicStep.begin()
    let last = batch.shards.last { $0.count > 0 }?.index
    for shard in batch.shards where shard.count > 0 {
      cyclicStep.run(shard, mode: mode, sums: &shardSums, pulse: pulse) { finished in
        if shard.index == last {
          reduction.advance(cyclicStep.gradients, finished: finished, share: shard.share)
        }
      }
      pulse.enter(.reduction)
      if pulse.isOrdered(.nan) { cyclicStep.gradients.pointer[gradients.count - 1] = .nan }
      reduction.add(
        gradients: cyclicStep.gradients, statistics: cyclicStep.statistics, sums: shardSums, share: shard.share)
    }
    pulse.enter(.reduction)
    if pulse.isOrdered(.throw) { throw OrderedFault() }
    var status = GradientReduction.Status()
    status.stopRequests = try pulse.isAskedToStop() ? 1 : 0
    status.failedSavers = journal?.failure == nil ? 0 : 1
    let own = pulse.computingSeconds / Double(max(batch.ownCount, 1))
    status.secondsPerSample = own
    try reduction.finish(
      gradients: gradients, statistics: statistics, sums: &batchSums, status: &status, pulse: pulse)
    if pulse.isOrdered(.flipSum) { gradients.flipBit() }
    guard status.refused == 0 else { return StepOutcome(status: status, gradientNorm: .nan, ownSecondsPerSample: own) }

    pulse.enter(.optimizer)
    let norm = Optimizer.clip(gradients, to: plan.configuration.optimizer.clipNorm)
    optimizer.step(
      parameters: model.parameters.pointer, gradients: gradients.pointer, learningRate: learningRate)
    model.statistics.pointer.update(from: statistics.pointer, count: statistics.count)
    if pulse.isOrdered(.bitflip) { model.parameters.flipBit() }
    return StepOutcome(status: status, gradientNorm: norm, ownSecondsPerSample: own)
  }

  /// The text of the lowest rank that refused a value, on every rank.
  func agreeOnCause() throws -> String {
    let mine = reduction.firstRefused.map {
      "\($0) on rank \(communicator.firstRank + communicator.rank) is not finite or beyond 2^18"
    }
    let first = try communicator.minimum([Int64(mine == nil ? communicator.size : communicator.rank)])[0]
    return String(decoding: try communicator.broadcast(Array((mine ?? "").utf8), from: Int(first)), as: UTF8.self)
  }

  /// Report of `epoch`, whose sums `progress` holds; `watch` has run since it began here.
  private func report(on epoch: Int, _ watch: Stopwatch, measures: Bool = true) throws -> EpochReport {
    defer { pulse.enter(.records) }
    func measure(_ dataset: Dataset?) throws -> ClassificationMetrics? {
      try measures ? dataset.map { try evaluator.evaluate($0, normalization: plan.normalization) } : nil
    }
    let (test, validation) = (try measure(plan.data.test), try measure(plan.data.validation))
    defer {
      savingSeconds = 0
      stepTimes.removeAll(keepingCapacity: true)
      stepProcessorTimes.removeAll(keepingCapacity: true)
    }
    return EpochReport(
      step: progress.step, epoch: epoch, trainLoss: progress.trainLoss, trainAccuracy: progress.trainAccuracy,
      test: test, validation: validation, trainSample: try measure(plan.trainSample),
      labelNoiseRate: plan.labelNoiseRate, seconds: watch.seconds,
      savingSeconds: savingSeconds, secondsPerStep: Statistics.median(stepTimes),
      processorSecondsPerStep: Statistics.median(stepProcessorTimes))
  }

  func agree() throws {
    pulse.enter(.exchange)
    try agreement.check(after: progress.step)
    pulse.enter(.records)
  }

  private func isDue(_ interval: Int?, _ count: Int) -> Bool { interval.map { count % $0 == 0 } ?? false }

  /// Everything that a resumed run needs.
  package var state: TrainingState {
    TrainingState(progress: progress, model: model, optimizer: optimizer)
  }

  /// Goes on from a saved state.
  /// Throws: WeightsError where its tensors, read from `path`, are not this model's.
  package func resume(from state: TrainingState, path: String = "") throws {
    try state.restore(to: model, optimizer, from: path)
    progress = state.progress
  }
}
