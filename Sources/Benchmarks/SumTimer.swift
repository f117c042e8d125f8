import Glibc
import MPI
import Reduction
import Runtime

/// Times the sum of a step alone, by the calls that `GradientReduction` makes: buckets of its size, all under way at
/// once. Not through it: into fixed point is each rank's own work.
final class SumTimer {
  private let communicator: Communicator
  private let buckets: GradientBuckets
  /// Of zeros, as sums that replace their terms would grow without end; the time does not depend on the values.
  private let sums: BucketSums
  private let rests: Bool

  /// For messages of `bytes` bytes. `rests`: a rank that waits leaves its core to others. Every rank calls it.
  init(_ communicator: Communicator, bytes: Int, rests: Bool = false) throws {
    self.communicator = communicator
    self.rests = rests
    buckets = GradientBuckets(
      gradients: bytes / MemoryLayout<Int64>.size, others: 0, size: GradientReduction.usualBucketSize)
    sums = try BucketSums(buckets, communicator)
  }

  /// `meanwhile` runs while the sums are under way.
  private func sum(meanwhile: () throws -> Void = {}) throws {
    for bucket in 0..<buckets.count { try sums.start(bucket) }
    try meanwhile()
    for bucket in 0..<buckets.count { try sums.take(bucket) { if rests { usleep(200) } } }
  }

  /// Seconds of one sum in each repeat, on this rank. A repeat takes 2 ms at least; all ranks make as many calls.
  func seconds(_ options: RepeatOptions) throws -> [Double] {
    for _ in 0..<options.warmUp { try sum() }
    let single = try communicator.largest(seconds: [try time(calls: 1)])[0]
    let calls = min(max(Int(2e-3 / max(single, 1e-9)), 1), 1000)
    return try (0..<options.repeats).map { _ in try time(calls: calls) }
  }

  private func time(calls: Int) throws -> Double {
    try communicator.barrier()
    let watch = Stopwatch()
    for _ in 0..<calls { try sum() }
    return watch.seconds / Double(calls)
  }

  /// Of a sum that takes `alone` seconds, the share that a computation as long hides, which lets it advance 64 times as
  /// the layers of a backward pass do: 1 - (together - computation) / alone, as OSU's benchmarks have it.
  func overlap(alone: Double) throws -> Double {
    let parts = 64
    var shares: [Double] = []
    for _ in 0..<5 {
      try communicator.barrier()
      let watch = Stopwatch()
      var computed = 0.0
      try sum {
        let computation = Stopwatch()
        for part in 1...parts {
          while computation.seconds < alone * Double(part) / Double(parts) {}
          try sums.progress()
        }
        computed = computation.seconds
      }
      shares.append(max(0, min(1, 1 - (watch.seconds - computed) / max(alone, 1e-9))))
    }
    return Measurements(shares).median
  }
}
