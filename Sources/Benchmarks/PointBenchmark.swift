import Configuration
import Doctor
import Graph
import Kernels
import Loading
import MPI
import Planning
import Reduction
import Runtime
import Scaling
import Supervision
import Training

/// What `icp scale point` does: steps of a run on synthetic images, with overlap and without in turn, of which every
/// rank records every phase; then the sum alone, at a few sizes.
package struct PointBenchmark {
  /// Computation that is slept.
  package struct Emulation {
    package let phases: EmulatedPhases
    /// How many times as long, over links that are as much slower.
    package let stretch: Double

    package init(phases: EmulatedPhases, stretch: Double) {
      self.phases = phases
      self.stretch = stretch
    }
  }

  private let configuration: RunConfiguration
  private let identity: String
  private let point: ScalingPoint
  private let options: RepeatOptions
  private let emulation: Emulation?
  private let communicator: Communicator

  /// - Parameters:
  ///   - configuration: with the point's batch and shards (`ScalingPoint.overrides`).
  ///   - identity: a checksum of what all points of a folder have in common.
  ///   - options: `repeats` of steps with overlap, and as many without.
  package init(
    configuration: RunConfiguration, identity: String, point: ScalingPoint, options: RepeatOptions,
    emulation: Emulation? = nil, communicator: Communicator
  ) {
    self.configuration = configuration
    self.identity = identity
    self.point = point
    self.options = options
    self.emulation = emulation
    self.communicator = communicator
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same on every rank.
  package func run() throws -> MeasuredPoint {
    let clock = PhaseClock()
    let (plan, steps) = try communicator.collectively { () throws -> (RunPlan, any PointSteps) in
      let plan = try RunPlan(synthetic: configuration, ranks: communicator.size)
      if let emulation {
        return (plan, EmulatedSteps(plan, emulation.phases, stretch: emulation.stretch, communicator, clock))
      }
      try RankMemory(plan, ranks: communicator.size).check()
      return (plan, TrainerSteps(plan, communicator, clock))
    }
    try communicator.agreeOnBenchmark(plan.configuration)
    let hosts = try NetworkProbe.hosts(communicator)
    let share = try repeatSteps(steps, plan, clock)
    let clocks = try ClockAlignment(communicator, hosts: hosts)
    let trace = clock.trace!
    clock.trace = nil
    let records = try gather(trace, clocks)
    let lost = try communicator.largest(seconds: [1 - share])[0]
    let record = PointRecord(
      point, hosts: hosts, batchSize: configuration.training.batchSize, shards: plan.shards,
      model: configuration.model.kind.rawValue,
      refinementSteps: plan.method.hasCyclicStage ? configuration.icp.steps : 0,
      parameters: ParameterLayout(plan.network).parameterCount, messageBytes: steps.messageBytes,
      buckets: steps.bucketCount,
      stretch: emulation?.stretch ?? 1, processorShare: 1 - lost,
      clockUncertainty: Double(clocks.uncertainty) * 1e-9, warmUp: options.warmUp, repeats: options.repeats,
      program: Platform.description, configuration: identity)
    return MeasuredPoint(record: record, steps: records, transfers: try sums(hosts, largest: steps.messageBytes))
  }

  /// Steps that count have the numbers 2 and up, so that no trace has those before them: even ones with overlap, odd
  /// ones without. Returns `PointSteps.takeShare`.
  private func repeatSteps(_ steps: any PointSteps, _ plan: RunPlan, _ clock: PhaseClock) throws -> Double {
    let loader = BatchLoader(
      plan.batches, shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards))
    defer { loader.stop() }
    let counting = 2..<2 + 2 * options.repeats
    clock.trace = PhaseTrace(steps: counting.lowerBound...counting.upperBound - 1)
    for number in (1 - steps.plainSteps - options.warmUp)..<counting.upperBound {
      if number == counting.lowerBound {
        try communicator.barrier()
        _ = steps.takeShare()
      }
      steps.overlaps = number % 2 == 0
      clock.begin(step: max(1, number))
      let isTaken = try steps.make(try loader.next(), step: number + options.warmUp)
      clock.enter(.records)
      guard isTaken else {
        throw SharedError(
          exitCode: ExitCode.notFinite,
          description:
            "a step of the point was refused: a loss or gradient was not finite; lower optimizer.learning_rate"
        )
      }
    }
    return steps.takeShare()
  }

  /// Of all ranks, by step and rank.
  private func gather(_ trace: PhaseTrace, _ clocks: ClockAlignment) throws -> [StepRecord] {
    let entries = trace.entries
    let values = entries.flatMap { [Int64($0.step), Int64($0.phase.rawValue), $0.time] }
    let ranks = try communicator.gatherVarying(values.withUnsafeBytes { Array($0) }).map { bytes in
      bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 24).map { place in
          PhaseTrace.Entry(
            phase: Phase(rawValue: Int(bytes.loadUnaligned(fromByteOffset: place + 8, as: Int64.self)))!,
            step: Int(bytes.loadUnaligned(fromByteOffset: place, as: Int64.self)),
            time: bytes.loadUnaligned(fromByteOffset: place + 16, as: Int64.self))
        }
      }
    }
    let origin = zip(ranks, clocks.offsets).map { $0[0].time + $1 }.min()!
    return ranks.enumerated().flatMap { rank, entries in
      StepRecord.steps(of: rank, entries) { Double($0 + clocks.offsets[rank] - origin) * 1e-9 }
    }.sorted { ($0.step, $0.rank) < ($1.step, $1.rank) }
  }

  /// Small, middle and the step's own.
  private func sums(_ hosts: [String], largest: Int) throws -> [TransferRecord] {
    guard communicator.size > 1 else { return [] }
    return try [1 << 14, 1 << 18, largest].map { bytes in
      let timer = try SumTimer(communicator, bytes: bytes, rests: emulation != nil)
      let seconds = try timer.seconds(RepeatOptions(warmUp: 1, repeats: 3))
      return TransferRecord(
        kind: .sum, link: .all, hosts: hosts, bytes: bytes, seconds: try communicator.largest(seconds: seconds))
    }
  }
}

extension StepRecord {
  /// Of one rank's trace. `place` turns its times into seconds.
  static func steps(of rank: Int, _ entries: [PhaseTrace.Entry], place: (Int64) -> Double) -> [StepRecord] {
    var records: [StepRecord] = []
    for (step, entries) in Dictionary(grouping: entries, by: \.step).sorted(by: { $0.key < $1.key }) {
      var seconds = [Phase: Double]()
      for (entry, next) in zip(entries, entries.dropFirst()) {
        seconds[entry.phase, default: 0] += Double(next.time - entry.time) * 1e-9
      }
      func time(_ phase: Phase, in entries: [PhaseTrace.Entry]) -> Double {
        place(entries.first { $0.phase == phase }!.time)
      }
      records.append(
        StepRecord(
          step: step, rank: rank, overlap: step % 2 == 0, data: seconds[.data] ?? 0, student: seconds[.student] ?? 0,
          refinement: seconds[.refinement] ?? 0, target: seconds[.target] ?? 0, backward: seconds[.backward] ?? 0,
          reduction: seconds[.reduction] ?? 0, optimizer: seconds[.optimizer] ?? 0, begin: place(entries[0].time),
          // It enters the reduction once a shard, to add it, and once more to wait.
          arrive: time(.reduction, in: entries.reversed()), leave: time(.optimizer, in: entries),
          end: time(.records, in: entries)))
    }
    return records
  }
}

extension ScalingPoint {
  /// The batch and the shards of a point, as keys above those of the configuration, which says how large a shard is.
  /// - Parameter largest: the most ranks of the series.
  package func overrides(_ configuration: RunConfiguration, largest: Int) throws(UsageError) -> [String] {
    let batch = configuration.training.batchSize
    let own: Int
    if case .count(let count) = configuration.training.shards { own = count } else { own = min(batch, largest) }
    let (samples, shards): (Int, Int)
    switch series {
    case .weak: (samples, shards) = (max(1, batch / own) * ranks, ranks)
    case .strong: (samples, shards) = (batch, max(own, largest))
    case .whole: (samples, shards) = (batch, 1)
    }
    guard shards <= samples else {
      throw UsageError(
        "the strong series cuts training.batch_size, \(batch), into \(shards) shards: a shard needs a sample at least")
    }
    return ["training.batch_size=\(samples)", "training.shards=\(shards)"]
  }
}
