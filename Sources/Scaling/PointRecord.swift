/// What a point's file says first: what was measured, where, and whether anything disturbed it.
package struct PointRecord: Codable, Sendable {
  package var kind = "point"
  package var series: ScalingSeries
  package var ranks: Int
  package var round: Int
  /// By rank.
  package var hosts: [String]
  package var batchSize: Int
  package var shards: Int
  package var model: String
  /// T; 0 where nothing is refined.
  package var refinementSteps: Int
  package var parameters: Int
  /// Of a step, from each rank.
  package var messageBytes: Int
  package var buckets: Int
  /// By how much phases are longer than those that were measured, and links slower; 1 where the computation is real.
  package var stretch: Double
  /// Processor time that the rank which had least got, by the time. Of emulated phases: what they should have taken, by
  /// what they took.
  package var processorShare: Double
  /// Of clocks of different hosts, in seconds.
  package var clockUncertainty: Double
  package var warmUp: Int
  package var repeats: Int
  /// Versions of the program and its libraries.
  package var program: String
  /// A checksum of the configuration without batch and shards: of one folder all are alike.
  package var configuration: String

  package init(
    _ point: ScalingPoint, hosts: [String], batchSize: Int, shards: Int, model: String, refinementSteps: Int,
    parameters: Int, messageBytes: Int, buckets: Int, stretch: Double = 1, processorShare: Double,
    clockUncertainty: Double = 0, warmUp: Int, repeats: Int, program: String, configuration: String
  ) {
    series = point.series
    ranks = point.ranks
    round = point.round
    self.hosts = hosts
    self.batchSize = batchSize
    self.shards = shards
    self.model = model
    self.refinementSteps = refinementSteps
    self.parameters = parameters
    self.messageBytes = messageBytes
    self.buckets = buckets
    self.stretch = stretch
    self.processorShare = processorShare
    self.clockUncertainty = clockUncertainty
    self.warmUp = warmUp
    self.repeats = repeats
    self.program = program
    self.configuration = configuration
  }

  package var point: ScalingPoint { ScalingPoint(series: series, ranks: ranks, round: round) }
  /// A rank hardly sleeps in a step, so that other work on its core shows here.
  package var isDisturbed: Bool { processorShare < Self.leastShare }
  package static let leastShare = 0.95
  package var hostCount: Int { Set(hosts).count }
  /// On the host that has most.
  package var ranksOnHost: Int { Dictionary(grouping: hosts) { $0 }.values.map(\.count).max() ?? 1 }
  /// Shards that the ranks with most of them run one after the other.
  package var shardsOnRank: Int { (shards + ranks - 1) / ranks }
}

/// What one rank did in one step, in seconds. Places in time are since the point's first, by rank 0's clock.
package struct StepRecord: Codable, Sendable {
  package var kind = "step"
  package var step: Int
  package var rank: Int
  /// Whether buckets might travel during the backward pass.
  package var overlap: Bool
  package var data, student, refinement, target, backward, reduction, optimizer: Double
  /// It began; it had nothing left to do but to wait for the sums; it had them; it was done.
  package var begin, arrive, leave, end: Double

  package init(
    step: Int, rank: Int, overlap: Bool, data: Double, student: Double, refinement: Double, target: Double,
    backward: Double, reduction: Double, optimizer: Double, begin: Double, arrive: Double, leave: Double, end: Double
  ) {
    self.step = step
    self.rank = rank
    self.overlap = overlap
    self.data = data
    self.student = student
    self.refinement = refinement
    self.target = target
    self.backward = backward
    self.reduction = reduction
    self.optimizer = optimizer
    self.begin = begin
    self.arrive = arrive
    self.leave = leave
    self.end = end
  }

  /// Its own work: all but waiting for the batch and for the sums.
  package var computing: Double { (arrive - begin - data) + (end - leave) }

  /// The same with all times divided by `stretch`.
  func shortened(by stretch: Double) -> StepRecord {
    StepRecord(
      step: step, rank: rank, overlap: overlap, data: data / stretch, student: student / stretch,
      refinement: refinement / stretch, target: target / stretch, backward: backward / stretch,
      reduction: reduction / stretch, optimizer: optimizer / stretch, begin: begin / stretch,
      arrive: arrive / stretch, leave: leave / stretch, end: end / stretch)
  }
}

/// The sum of a step alone, or an exchange of two ranks: `repeats` times in seconds, by the slowest rank of each.
package struct TransferRecord: Codable, Sendable {
  package enum Kind: String, Codable, Sendable { case sum, exchange }

  /// Which links a message crosses.
  package enum Link: String, Codable, CaseIterable, Sendable {
    /// Ranks of one host.
    case host
    /// One rank a host.
    case network
    /// The ranks as a run has them.
    case all
  }

  package var kind: Kind
  package var link: Link
  /// The host of each rank that takes part.
  package var hosts: [String]
  package var bytes: Int
  package var seconds: [Double]
  /// Of the time that a sum takes, the share that a computation beside it hides; nil where that was not measured.
  package var overlap: Double?

  package init(
    kind: Kind, link: Link, hosts: [String], bytes: Int, seconds: [Double], overlap: Double? = nil
  ) {
    self.kind = kind
    self.link = link
    self.hosts = hosts
    self.bytes = bytes
    self.seconds = seconds
    self.overlap = overlap
  }

  func shortened(by stretch: Double) -> TransferRecord {
    TransferRecord(
      kind: kind, link: link, hosts: hosts, bytes: bytes, seconds: seconds.map { $0 / stretch }, overlap: overlap)
  }
}
