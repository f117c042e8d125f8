import Configuration
import Glibc
import Graph
import Kernels
import Loading
import MPI
import Method
import Models
import Planning
import Reduction
import Runtime
import Scaling
import Supervision
import Training

/// What a scaling point repeats: steps of a run, or what stands for them.
protocol PointSteps: AnyObject {
  var overlaps: Bool { get set }
  var messageBytes: Int { get }
  var bucketCount: Int { get }
  /// Steps that come before any that count, as a run's first epochs do.
  var plainSteps: Int { get }
  /// Makes step `step`, which is 1 or more but for plain ones; `clock` has begun it. False where it was refused.
  func make(_ batch: Batch, step: Int) throws -> Bool
  /// Since the last call: what the step got of its core, by the time, or of emulated phases what they should have taken
  /// by what they took.
  func takeShare() -> Double
}

/// The steps of a `Trainer`.
final class TrainerSteps: PointSteps {
  private let trainer: Trainer
  private let refines: Bool
  private var watch = Stopwatch()
  private var processor = ProcessResources.processorSeconds

  init(_ plan: RunPlan, _ communicator: Communicator, _ clock: PhaseClock) {
    let model = ModelState(plan.network, seed: plan.configuration.training.seed)
    trainer = Trainer(plan: plan, model: model, communicator: communicator, clock: clock)
    refines = plan.method.hasCyclicStage
  }

  var overlaps: Bool {
    get { trainer.overlaps }
    set { trainer.overlaps = newValue }
  }
  var messageBytes: Int { trainer.messageBytes }
  var bucketCount: Int { trainer.bucketCount }
  var plainSteps: Int { refines ? StepBenchmark.plainSteps : 0 }

  func make(_ batch: Batch, step: Int) throws -> Bool {
    let isCyclic = refines && step > 0
    let context = StepContext(
      epoch: batch.epoch, position: batch.position, batchCount: batch.count, stage: isCyclic ? .cyclic : .plain,
      alpha: isCyclic ? StepBenchmark.alpha : 1)
    let rate = step > 0 ? trainer.plan.configuration.optimizer.learningRate : 0
    return try trainer.step(batch, context, learningRate: rate).isTaken
  }

  func takeShare() -> Double {
    defer { processor = ProcessResources.processorSeconds }
    return (ProcessResources.processorSeconds - processor) / watch.lap()
      / Double(trainer.plan.configuration.training.threads)
  }
}

/// Steps whose computation is slept, as long as it was measured to take; the sums are real.
final class EmulatedSteps: PointSteps {
  private let phases: EmulatedPhases
  private let stretch: Double
  private let rank: Int
  private let clock: PhaseClock
  private let reduction: GradientReduction
  private let result: ShardResult
  private var (wanted, taken) = (0.0, 0.0)

  init(
    _ plan: RunPlan, _ phases: EmulatedPhases, stretch: Double, _ communicator: Communicator, _ clock: PhaseClock
  ) {
    self.phases = phases
    self.stretch = stretch
    self.clock = clock
    rank = communicator.rank
    let layout = ParameterLayout(plan.network)
    let scalars = StepScalars(names: [StepScalars.taskLoss])
    reduction = GradientReduction(
      layout: layout, scalars: scalars, signals: 0, kind: .exact, overlaps: true, communicator: communicator)
    reduction.restsWhileWaiting = true
    result = ShardResult(
      gradients: Tensor(count: layout.parameterCount), statistics: Tensor(count: layout.statisticCount),
      scalars: scalars)
  }

  var overlaps: Bool {
    get { reduction.overlaps }
    set { reduction.overlaps = newValue }
  }
  var messageBytes: Int { reduction.messageBytes }
  var bucketCount: Int { reduction.bucketCount }
  let plainSteps = 0

  /// Calls during a backward pass, as of so many layers.
  private static let layers = 20

  func make(_ batch: Batch, step: Int) throws -> Bool {
    var random = SplitMix(state: UInt64(rank) << 32 ^ UInt64(step))
    let draw = phases.steps.randomElement(using: &random)!
    sleep(draw.data)
    try reduction.begin(step: clock.step, batch)
    for shard in batch.shards where shard.count > 0 {
      for (phase, seconds) in [
        (Phase.student, draw.student), (.refinement, draw.refinement), (.target, draw.target),
      ] {
        clock.enter(phase)
        sleep(seconds)
      }
      clock.enter(.backward)
      let (start, gradients) = (now, result.gradients)
      for layer in 1...Self.layers {
        sleep(draw.backward / Double(Self.layers), until: start + duration(draw.backward, layer))
        reduction.advance(gradients, of: shard, final: gradients.count * layer / Self.layers)
      }
      clock.enter(.reduction)
      reduction.add(result, share: shard.share)
    }
    clock.enter(.reduction)
    _ = try reduction.finish()
    clock.enter(.optimizer)
    sleep(draw.optimizer)
    return true
  }

  func takeShare() -> Double {
    defer { (wanted, taken) = (0, 0) }
    return taken > 0 ? wanted / taken : 1
  }

  private var now: Int64 { PhaseTrace.now }

  private func duration(_ seconds: Double, _ layer: Int) -> Int64 {
    Int64(seconds * stretch * 1e9 * Double(layer) / Double(Self.layers))
  }

  /// - Parameter until: a place on the monotonic clock; without it, `seconds` from here.
  private func sleep(_ seconds: Double, until given: Int64? = nil) {
    let start = now
    let end = given ?? start + Int64(seconds * stretch * 1e9)
    guard end > start else { return }
    var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    wanted += Double(end - start)
    taken += Double(now - start)
  }
}
