import Datasets
import Kernels
import MPI
import Networks
import Reporting

/// A run: epochs of steps, each step the paper's, its sums exact, its optimiser step the same on every rank.
package final class Trainer {
  package let plan: RunPlan
  package let model: ModelState
  package let optimizer: Optimizer
  package private(set) var progress = TrainingProgress()

  private let communicator: Communicator
  private let cyclicStep: CyclicStep
  private let reduction: GradientReduction
  private let evaluator: Evaluator
  private let gradients: Tensor
  private let statistics: Tensor
  /// A shard's, and the batch's: reused by every step.
  private var shardSums, batchSums: StepSums
  private let journal: RunJournal?
  private let pulse: Pulse
  private let agreement: StateAgreement
  private var straggler = Straggler()
  /// Some rank was asked to: all stop after the same step.
  private var stops = false
  private var lastGood: TrainingState?

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
  }

  /// Runs from `progress` to the end, or to `training.max_steps`; ends with an evaluation, an epoch record and a checkpoint.
  package func run() throws -> RunResult {
    let lastStep = min(plan.configuration.training.maxSteps ?? .max, plan.totalSteps)
    if plan.configuration.training.nonFinite == .rollback { lastGood = state }
    var latest: EpochReport?
    let total = Stopwatch()
    if progress.step < lastStep {
      let loader = BatchLoader(
        plan.batches,
        shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards),
        epoch: progress.epoch, position: progress.position)
      defer { loader.stop() }
      while progress.step < lastStep, !stops { latest = try runEpoch(loader, until: lastStep) }
      if stops, progress.step < lastStep { try stop() }
    }
    let report = try latest ?? reportOfEarlierStart(total)
    return RunResult(progress: progress, report: report, seconds: total.seconds)
  }

  /// Where nothing was left to do: the run was resumed at its last step.
  private func reportOfEarlierStart(_ watch: Stopwatch) throws -> EpochReport {
    guard progress.position > 0 else { return try evaluate(epoch: max(progress.epoch - 1, 0), watch) }
    // In the middle of an epoch, whose record went at the resume since it is of a part.
    let report = try evaluate(epoch: progress.epoch, watch)
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
      pulse.begin(step: progress.step + 1)
      try train(on: loader.next())
      if isDue(plan.configuration.agreement.everySteps, progress.step) { try agree() }
      let endsEpoch = progress.epoch != epoch
      if !endsEpoch, progress.step < lastStep, isDue(plan.configuration.checkpoint.everySteps, progress.step) {
        try save(metric: nil)
      }
    }
    if stops, progress.epoch == epoch, progress.step < lastStep { return nil }
    let report = try evaluate(epoch: epoch, total)
    journal?.record(report)
    let isLast = progress.step == lastStep
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
      isLogged: isLogged, batchCount: batch.count)
    let rate = plan.learningRate[progress.step]

    let outcome = try step(batch, mode: mode, learningRate: rate)
    pulse.enter(.records)
    stops = outcome.status.stopRequests > 0
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
    reduction.begin(step: pulse.step)
    cyclicStep.begin()
    let streamed = plan.configuration.training.overlap ? batch.shards.last { $0.count > 0 }?.index : nil
    for shard in batch.shards where shard.count > 0 {
      cyclicStep.run(shard, mode: mode, sums: &shardSums, pulse: pulse) { finished in
        if shard.index == streamed {
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
    status.stopRequests = StopRequests.areThere ? 1 : 0
    let own = pulse.computingSeconds / Double(max(batch.ownCount, 1))
    status.secondsPerSample = own
    try reduction.finish(
      gradients: gradients, statistics: statistics, sums: &batchSums, status: &status, fault: pulse.orderedFault)
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

  /// A loss or a gradient was not finite, on all ranks alike: `training.non_finite` says what now.
  private func refuse(_ values: Int) throws {
    let cause = try agreeOnCause()
    switch plan.configuration.training.nonFinite {
    case .stop:
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description: "step \(progress.step + 1): \(cause) (\(values) values in all); "
          + "lower optimizer.learning_rate, or set training.non_finite")
    case .skip:
      journal?.warn("step \(progress.step + 1) skipped: \(cause)")
    case .rollback:
      let good = lastGood!
      journal?.warn(
        "step \(progress.step + 1): \(cause); back to the weights of step \(good.progress.step), "
          + "going on with the next batch")
      try good.restore(to: model, optimizer)
    }
    progress.refusedSteps += 1
  }

  /// The text of the lowest rank that refused a value, on every rank.
  private func agreeOnCause() throws -> String {
    let mine = reduction.firstRefused.map { "\($0) on rank \(communicator.rank) is not finite or beyond 2^18" }
    let first = try communicator.minimum([Int64(mine == nil ? communicator.size : communicator.rank)])[0]
    return String(decoding: try communicator.broadcast(Array((mine ?? "").utf8), from: Int(first)), as: UTF8.self)
  }

  /// Report of `epoch`, whose sums `progress` holds; `watch` has run since it began here.
  private func evaluate(epoch: Int, _ watch: Stopwatch) throws -> EpochReport {
    defer { pulse.enter(.records) }
    let test = try evaluator.evaluate(plan.data.test, normalization: plan.normalization)
    let validation = try plan.data.validation.map {
      try evaluator.evaluate($0, normalization: plan.normalization)
    }
    return EpochReport(
      step: progress.step, epoch: epoch, trainLoss: progress.trainLoss, trainAccuracy: progress.trainAccuracy,
      test: test, validation: validation, seconds: watch.seconds)
  }

  private func agree() throws {
    pulse.enter(.exchange)
    try agreement.check(after: progress.step)
    pulse.enter(.records)
  }

  private func isDue(_ interval: Int?, _ count: Int) -> Bool { interval.map { count % $0 == 0 } ?? false }

  /// Rank 0 saves; every rank learns whether it worked.
  private func save(metric: (value: Double, higherIsBetter: Bool)?, isLast: Bool = false) throws {
    guard try weightsAreFinite() else { return }
    try agree()
    pulse.enter(.save)
    defer { pulse.enter(.records) }
    let state = self.state
    let isSaved = try communicator.together { try journal?.save(state, metric: metric, isLast: isLast) ?? true }
    guard plan.configuration.training.nonFinite == .rollback else { return }
    // Only rank 0 knows, and all must go back to the same state.
    if try communicator.minimum([isSaved ? 1 : 0])[0] == 1 { lastGood = state }
  }

  /// An optimiser step can leave what no gradient showed: weights that are not finite must not become a checkpoint, nor what
  /// a rollback returns to. The same on every rank, without asking the others.
  private func weightsAreFinite() throws -> Bool {
    let blocks = [model.parameters.values, model.statistics.values] + optimizer.slots.map(\.values)
    guard blocks.contains(where: { !$0.allSatisfy(\.isFinite) }) else { return true }
    guard plan.configuration.training.nonFinite == .rollback, let lastGood else {
      throw SharedError(
        exitCode: ExitCode.notFinite,
        description: "step \(progress.step): the weights or the optimiser's state are not finite, and were not saved; "
          + "lower optimizer.learning_rate, and go on from the last checkpoint")
    }
    journal?.warn("step \(progress.step): weights not finite; back to those of step \(lastGood.progress.step)")
    try lastGood.restore(to: model, optimizer)
    return true
  }

  /// Everything that a resumed run needs.
  package var state: TrainingState {
    TrainingState(progress: progress, model: model, optimizer: optimizer)
  }

  /// Goes on from a saved state.
  /// Throws: WeightsError where its tensors, read from `path`, are not this model's.
  package func resume(from state: TrainingState, path: String) throws {
    try state.restore(to: model, optimizer, from: path)
    progress = state.progress
  }
}
