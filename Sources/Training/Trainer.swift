import Checkpointing
import Datasets
import Files
import Formats
import Graph
import Kernels
import Loading
import MPI
import Method
import Models
import Optimization
import Planning
import Reduction
import Runtime
import Supervision

/// A run: epochs of steps, each step the paper's, its sums exact, its optimiser step the same on every rank. What else
/// a run does is done by observers of its steps.
package final class Trainer {
  package let plan: RunPlan
  package let model: ModelState
  /// Of the weights, with `training.ema`.
  package let average: WeightAverage?
  package let optimizer: Optimizer
  package var progress = TrainingProgress()
  let method: TrainingMethod
  package let clock: PhaseClock
  private let reduction: GradientReduction
  private let probe: any RunProbe
  private let observers: [any RunObserver]

  /// `observers` hear of every step in their order. `rollCall` and `probe` are those of the rank's supervision.
  package init(
    plan: RunPlan, model: ModelState, communicator: Communicator, clock: PhaseClock = PhaseClock(),
    rollCall: RollCall? = nil, probe: any RunProbe = NoProbe(), observers: [any RunObserver] = []
  ) {
    self.plan = plan
    self.model = model
    self.clock = clock
    self.probe = probe
    self.observers = observers
    average = plan.configuration.training.ema.map { WeightAverage(of: model, decay: $0) }
    optimizer = Optimizer(plan.configuration.optimizer, layout: model.layout)
    method = TrainingMethod(
      plan.method, model: model, average: average?.model, sizes: plan.batches.schedule.shardSizes)
    reduction = GradientReduction(
      layout: model.layout, scalars: method.scalars, signals: observers.count,
      kind: plan.configuration.training.gradientReduction, overlaps: plan.configuration.training.overlap,
      communicator: communicator, rollCall: rollCall)
    KernelLibrary.returnSpareMemory()
  }

  var communicator: Communicator { reduction.communicator }
  /// Of the last step, as the optimiser took them.
  var gradients: Tensor { reduction.gradients }

  /// Whether buckets of the sums may travel during the backward pass: `training.overlap`, unless a benchmark changes it
  /// between steps.
  package var overlaps: Bool {
    get { reduction.overlaps }
    set { reduction.overlaps = newValue }
  }

  /// Of the sums of a step, from each rank.
  package var messageBytes: Int { reduction.messageBytes }
  package var bucketCount: Int { reduction.bucketCount }

  /// The step after which the run ends.
  var lastStep: Int { min(plan.configuration.training.maxSteps ?? .max, plan.totalSteps) }

  /// Of the next step.
  var learningRate: Double {
    plan.learningRate[progress.step, drops: progress.plateau?.drops ?? 0] * progress.learningRateScale
  }

  /// Whether `training.patience` is used up.
  var hasWaited: Bool { plan.configuration.training.patience.map { progress.best?.waited ?? 0 >= $0 } ?? false }
  private var goesOn: Bool { progress.step < lastStep && !hasWaited }

  /// Runs from `progress` to the last step.
  package func run() throws {
    for observer in observers { try observer.runBegins(of: self) }
    clock.enter(.exchange)
    try reduction.connect()
    while progress.awaitsEvaluation || goesOn {
      if progress.awaitsEvaluation {
        // What a resume or a rollback came back to.
        try closeEpoch(isSaved: true)
        continue
      }
      let loader = BatchLoader(
        plan.batches,
        shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards),
        epoch: progress.epoch, position: progress.position)
      defer { loader.stop() }
      while goesOn {
        clock.begin(step: progress.step + 1)
        try train(on: try loader.next())
        if progress.awaitsEvaluation || progress.step == lastStep { try closeEpoch() }
      }
    }
  }

  private func train(on batch: Batch) throws {
    let context = plan.context(
      epoch: batch.epoch, position: batch.position, step: progress.step, batchCount: batch.count,
      memorised: progress.lastEpoch?.accuracy ?? 0,
      isLogged: plan.isLogged(progress.step))
    let processor = ProcessResources.processorSeconds
    var finished = try step(
      batch, context, learningRate: learningRate)
    finished.processorSeconds = ProcessResources.processorSeconds - processor
    finished.seconds = clock.stepSeconds
    clock.enter(.records)
    progress.record(
      finished, stepsPerEpoch: plan.stepsPerEpoch,
      remembersEpochs: plan.configuration.distillation.gate != nil)
    for (index, observer) in observers.enumerated() {
      try observer.stepEnded(finished, signals: reduction[signal: index], of: self)
    }
  }

  /// METHOD, "One cyclic step": each of this rank's shards, one reduction, one step of the optimiser; not that last one
  /// where a value was refused. Allocates nothing once each size of a piece has run: oneDNN may keep what it makes at
  /// first.
  package func step(_ batch: Batch, _ context: StepContext, learningRate: Double) throws -> FinishedStep {
    try reduction.begin(step: clock.step, batch)
    method.begin()
    for shard in batch.shards where shard.count > 0 {
      let result = method.differentiate(shard, context, phases: clock) { gradients, final in
        reduction.advance(gradients, of: shard, final: final)
      }
      clock.enter(.reduction)
      try probe.beforeReduction(result.gradients, step: clock.step)
      reduction.add(result, share: shard.share)
    }
    clock.enter(.reduction)
    try exchangeSignals(batch)
    let sum = try reduction.finish()
    probe.afterReduction(sum.gradients, step: clock.step)
    guard sum.refused == 0 else { return FinishedStep(context, sum, learningRate: learningRate) }
    method.commit()
    clock.enter(.optimizer)
    let norm = optimizer.step(
      model.parameters, along: sum.gradients, clippedTo: plan.configuration.optimizer.clipNorm,
      learningRate: learningRate)
    model.replace(statistics: sum.statistics)
    average?.update(from: model)
    probe.afterOptimizer(model.parameters, step: clock.step)
    return FinishedStep(context, sum, learningRate: learningRate, gradientNorm: norm)
  }

  /// What observers tell those of other ranks travels with the sums.
  private func exchangeSignals(_ batch: Batch) throws {
    for (index, observer) in observers.enumerated() {
      reduction[signal: index] = try observer.signal(batch, clock)
    }
  }

  /// The epoch that has ended, or the part of it with which the run does.
  private func closeEpoch(isSaved: Bool = false) throws {
    try exchangeImageRows()
    let epoch = FinishedEpoch(
      number: progress.awaitsEvaluation ? progress.epoch - 1 : progress.epoch, isWhole: progress.awaitsEvaluation,
      isLast: progress.step == lastStep, isSaved: isSaved)
    for observer in observers { try observer.epochEnded(epoch, of: self) }
    progress.awaitsEvaluation = false
  }

  /// What each rank has found of the images that it saw becomes every rank's: at the end of an epoch and before a save,
  /// never within a step. Every rank calls it.
  package func exchangeImageRows() throws {
    guard communicator.size > 1, !method.imageRows.isEmpty else { return }
    clock.enter(.exchange)
    for rows in method.imageRows {
      var next = 0
      while true {
        clock.beat()
        let changes = try communicator.gatherVarying(
          rows.changes(from: &next, most: ImageRows.mostInRound / communicator.size))
        guard changes.contains(where: { !$0.isEmpty }) else { break }
        for changes in changes { rows.take(changes) }
      }
      rows.settle()
    }
    clock.enter(.records)
  }

  /// Everything that a resumed run needs.
  package var state: TrainingState {
    TrainingState(
      progress: progress, model: model, average: average, optimizer: optimizer,
      images: method.imageRows.map {
        NamedTensor(TrainingState.images($0.name), shape: [$0.images, $0.width], floats: Array($0.values))
      })
  }

  /// Goes on from a saved state.
  /// Throws: FileError where its tensors, read from `path`, are not this model's.
  package func resume(from state: TrainingState, path: String = "") throws {
    try state.restore(to: model, average: average, optimizer, from: path)
    for rows in method.imageRows {
      let values = try state.images(rows.name, shape: [rows.images, rows.width], path: path)
      rows.restart(from: values)
    }
    progress = state.progress
  }
}
