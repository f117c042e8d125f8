import Glibc
import MPI
import Reduction
import Runtime

/// Times the sum of a step alone, by the calls that `GradientReduction` makes: buckets of its size, all under way at
/// once. Not through it: from and into fixed point is each rank's own work.
final class SumTimer {
  private let communicator: Communicator
  private let largest: Int
  private let message: UnsafeMutableBufferPointer<Int64>
  private let pending: PendingSums
  private let rests: Bool

  /// For messages of up to `largest` bytes. `rests`: a rank that waits leaves its core to others.
  init(_ communicator: Communicator, largest: Int, rests: Bool = false) {
    self.communicator = communicator
    self.largest = largest
    self.rests = rests
    let buckets = Self.buckets(largest)
    pending = PendingSums(capacity: buckets.count, communicator: communicator)
    message = .allocate(capacity: buckets.messageCount)
    // Zeros, as sums that replace their terms would grow without end; the time does not depend on the values.
    message.initialize(repeating: 0)
  }

  deinit { if !pending.isUnderWay { message.deallocate() } }

  private static func buckets(_ bytes: Int) -> GradientBuckets {
    GradientBuckets(
      gradients: bytes / MemoryLayout<Int64>.size, others: 0, size: GradientReduction.usualBucketSize)
  }

  /// `meanwhile` runs while the sums are under way.
  private func sum(_ bytes: Int, meanwhile: () throws(MPIError) -> Void = {}) throws(MPIError) {
    precondition(bytes <= largest, "\(bytes) bytes, and room for \(largest)")
    let buckets = Self.buckets(bytes)
    for bucket in 0..<buckets.count {
      try pending.start(UnsafeMutableBufferPointer(rebasing: message[buckets.place(bucket)]))
    }
    try meanwhile()
    for _ in 0..<buckets.count { try pending.wait { if rests { usleep(200) } } }
  }

  /// Seconds of one sum in each repeat, on this rank. A repeat takes 2 ms at least; all ranks make as many calls.
  func seconds(_ bytes: Int, _ options: RepeatOptions) throws -> [Double] {
    for _ in 0..<options.warmUp { try sum(bytes) }
    let single = try communicator.largest(seconds: [try time(bytes, calls: 1)])[0]
    let calls = min(max(Int(2e-3 / max(single, 1e-9)), 1), 1000)
    return try (0..<options.repeats).map { _ in try time(bytes, calls: calls) }
  }

  private func time(_ bytes: Int, calls: Int) throws -> Double {
    try communicator.barrier()
    let watch = Stopwatch()
    for _ in 0..<calls { try sum(bytes) }
    return watch.seconds / Double(calls)
  }

  /// Of a sum that takes `alone` seconds, the share that a computation as long hides, which lets it advance 64 times as
  /// the layers of a backward pass do: 1 - (together - computation) / alone, as OSU's benchmarks have it.
  func overlap(_ bytes: Int, alone: Double) throws -> Double {
    let parts = 64
    var shares: [Double] = []
    for _ in 0..<5 {
      try communicator.barrier()
      let watch = Stopwatch()
      var computed = 0.0
      try sum(bytes) { () throws(MPIError) in
        let computation = Stopwatch()
        for part in 1...parts {
          while computation.seconds < alone * Double(part) / Double(parts) {}
          try pending.progress()
        }
        computed = computation.seconds
      }
      shares.append(max(0, min(1, 1 - (watch.seconds - computed) / max(alone, 1e-9))))
    }
    return Measurements(shares).median
  }
}
