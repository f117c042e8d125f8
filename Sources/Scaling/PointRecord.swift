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
