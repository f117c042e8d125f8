import Configuration
import Datasets
import Doctor
import Graph
import Kernels
import Loading
import MPI
import Method
import Models
import Planning
import Reduction
import Runtime
import Supervision
import Training

/// What `icp bench step` does: the steps of a `Trainer` on synthetic images, timed. They are the steps of `icp train`,
/// with its loader, reduction and optimiser; only records, evaluations and checkpoints are left out.
package struct StepBenchmark {
  private let configuration: RunConfiguration
  private let options: RepeatOptions
  private let timesConvolutions: Bool
  private let communicator: Communicator

  /// `timesConvolutions`: time the network's convolutions alone too, to compare with.
  package init(
    configuration: RunConfiguration, options: RepeatOptions, timesConvolutions: Bool, communicator: Communicator
  ) {
    self.configuration = configuration
    self.options = options
    self.timesConvolutions = timesConvolutions
    self.communicator = communicator
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same report on every rank.
  package func run() throws -> StepBenchmarkReport {
    let plan = try communicator.collectively {
      let plan = try RunPlan(synthetic: configuration, ranks: communicator.size)
      try RankMemory(plan, ranks: communicator.size).check()
      return plan
    }
    try communicator.agreeOnBenchmark(plan.configuration)
    let clock = PhaseClock()
    let trainer = try communicator.collectively {
      let model = ModelState(plan.network, seed: configuration.training.seed)
      return Trainer(plan: plan, model: model, communicator: communicator, clock: clock)
    }
    let timed = try timeSteps(of: trainer, clock)
    // Before the convolutions are timed, which takes memory that is no step's.
    let memory = HostMemory.residentAnonymous
    let peak = HostMemory.peakResident
    var report = StepBenchmarkReport(
      plan: plan, ranks: communicator.size, options: options, steps: try slowest(timed.times))
    report.peakResident = try communicator.largest(peak)
    report.residentAnonymous = try communicator.largest(memory)
    report.residentAnonymousAtStepTwo = try communicator.largest(timed.memoryAtStepTwo)
    report.processorShare = 1 - (try communicator.largest(seconds: [1 - timed.processorShare])[0])
    if timesConvolutions, !plan.network.convolutionLayers.isEmpty {
      try communicator.barrier()
      let bare = BareConvolutions(plan, samples: samples(plan), options: options)
      report.bareConvolutions = try communicator.largest(seconds: [
        bare.fastest, bare.inFrozenPieces, bare.inTrainingPieces,
      ])
    }
    return report
  }

  /// What one rank saw.
  private struct Timed {
    /// Nanoseconds of each phase of each step that counts.
    var times: [[Int64]] = []
    var memoryAtStepTwo: Int?
    /// Processor time that the process got, by the time those steps took.
    var processorShare = 1.0
  }

  private func timeSteps(of trainer: Trainer, _ clock: PhaseClock) throws -> Timed {
    let plan = trainer.plan
    let loader = BatchLoader(
      plan.batches, shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards))
    defer { loader.stop() }
    var result = Timed()
    result.times.reserveCapacity(options.repeats)
    var (watch, processor) = (Stopwatch(), ProcessResources.processorSeconds)
    let refines = plan.method.hasCyclicStage
    for step in (refines ? 1 - Self.plainSteps : 1)...options.warmUp + options.repeats {
      if step == options.warmUp + 1 { (watch, processor) = (Stopwatch(), ProcessResources.processorSeconds) }
      // Outside the step: ranks that start together wait for each other in the reduction alone.
      try communicator.barrier()
      clock.begin(step: max(step, 1))
      let batch = try loader.next()
      let isCyclic = refines && step > 0
      let context = StepContext(
        epoch: batch.epoch, position: batch.position, batchCount: batch.count, stage: isCyclic ? .cyclic : .plain,
        alpha: isCyclic ? Self.alpha : 1)
      let finished = try trainer.step(
        batch, context, learningRate: step > 0 ? configuration.optimizer.learningRate : 0)
      clock.enter(.records)
      guard finished.isTaken else {
        // Such a step leaves the optimiser out, and what follows it would be another measurement.
        throw SharedError(
          exitCode: ExitCode.notFinite,
          description:
            "step \(step) of the benchmark\(step > 0 ? "" : " (plain ones count to 0)"): a loss or gradient was not finite; lower optimizer.learning_rate"
        )
      }
      if step == 2 { result.memoryAtStepTwo = HostMemory.residentAnonymous }
      if step > options.warmUp { result.times.append(Phase.ofStep.map { Int64((clock[$0] * 1e9).rounded()) }) }
    }
    result.processorShare =
      (ProcessResources.processorSeconds - processor) / watch.seconds / Double(configuration.training.threads)
    return result
  }

  /// Plain steps in front of cyclic ones, as a run's warm-up epochs are: without them the refinement's running
  /// statistics are still those of the start, and 110 layers deep the gradients that they lead to are beyond what a
  /// step takes.
  static let plainSteps = 10

  /// Any weight that is neither 0 nor 1 costs the same.
  static let alpha = 0.7

  /// Of each repeat, the phases of the rank that took the longest: so they still add up to the step.
  private func slowest(_ times: [[Int64]]) throws -> [[Double]] {
    let mine = times.flatMap(\.self).withUnsafeBytes { Array($0) }
    let ranks = try communicator.gather(mine).map { bytes in
      bytes.withUnsafeBytes { bytes in
        times.indices.map { step in
          Phase.ofStep.indices.map { phase in
            let place = step * Phase.ofStep.count + phase
            return bytes.loadUnaligned(fromByteOffset: place * MemoryLayout<Int64>.size, as: Int64.self)
          }
        }
      }
    }
    return times.indices.map { step in
      ranks.map { $0[step] }.max { $0.reduce(0, +) < $1.reduce(0, +) }!.map { Double($0) * 1e-9 }
    }
  }

  /// Of a batch, on this rank.
  private func samples(_ plan: RunPlan) -> Int {
    ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards).reduce(0) {
      $0 + plan.batches.schedule.positions(ofBatch: 0, shard: $1).count
    }
  }
}

extension RunPlan {
  /// A plan on synthetic images, of a few full batches. They are as `data.size` says, or as the network of a file takes
  /// them, or as the format's usually are; of as many classes as that network tells apart.
  init(synthetic configuration: RunConfiguration, ranks: Int) throws {
    let (count, overflows) = configuration.training.batchSize.multipliedReportingOverflow(by: 4)
    let file = try configuration.model.networkOfFile()
    let shape = configuration.data.size == nil ? file.map { ImageShape($0.image) } : nil
    let classes = configuration.model.head == .new ? nil : file?.classes
    let data = try DataSplits.synthetic(
      like: DataOptions(configuration), shape: shape, count: overflows ? .max : count,
      classes: configuration.model.classes ?? classes)
    try self.init(configuration, ranks: ranks, data: data)
  }
}

extension Communicator {
  /// Every rank must make the same calls: throws where program or configuration differ.
  func agreeOnBenchmark(_ configuration: RunConfiguration) throws {
    try agree(on: "the program", Platform.description)
    try agree(on: "the configuration", configuration.agreedText)
  }

  /// The largest over the ranks; nil where no rank knows.
  func largest(_ value: Int?) throws -> Int? {
    let largest = try maximum([Int64(value ?? -1)])[0]
    return largest < 0 ? nil : Int(largest)
  }

  /// The largest of each duration over the ranks, in whole picoseconds: the slowest rank counts.
  func largest(seconds: [Double]) throws -> [Double] {
    try maximum(seconds.map { Int64(($0 * 1e12).rounded()) }).map { Double($0) * 1e-12 }
  }
}
