import TestSupport
import Testing

/// The sums of buckets in real jobs, on hosts of so many ranks each. The values are checked in the probe
/// (Tests/Executable/SumsProbe), on every rank.
@Suite(.serialized) struct BucketSumsJobTests {
  private static let jobs = [
    (1, 1), (2, 1), (2, 2), (3, 1), (4, 2), (6, 3), (8, 1), (8, 2), (8, 8),
  ]

  @Test(.ranks, arguments: jobs, ["allreduce", "segments"])
  func `every sum has the same bits, over any ranks and hosts and by any schedule`(
    job: (ranks: Int, onHost: Int), schedule: String
  ) throws {
    let outcome = try Program.run(
      ["\(job.onHost)", schedule], program: Program.built("sums-probe"), ranks: job.ranks, timeLimit: 60)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("all sums are right at \(job.ranks) ranks, \(job.onHost) a host"))
  }
}
