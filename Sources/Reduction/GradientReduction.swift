import Configuration
import Datasets
import Glibc
import Graph
import Kernels
import Loading
import MPI
import Method
import Runtime
import Supervision

/// The one reduction of a step: gradients, running statistics, scalars, counts and signals in one message of integers,
/// so the sum has the same bits in any order, over any number of ranks (docs/ARCHITECTURE.md, "Exact sums"). It travels
/// in buckets, which start as the backward pass of the last shard finishes them.
package final class GradientReduction {
  /// What a step's sums came to, the same bits on every rank; valid until the next step. Of what is frozen, zeros.
  package struct Sum {
    package let gradients: Tensor
    /// Running statistics.
    package let statistics: Tensor
    /// Not numbers where values were refused: each counts as 0 in its sum, so that none of the means is what it says.
    package let scalars: StepScalars
    /// Values that were not finite or beyond 2^18, over all ranks and shards: the step must not be taken if there are
    /// any.
    package var refused = 0
    /// The first of this rank's, for the message: a parameter's name, or what else it was.
    package var firstRefused: String?
  }

  package let communicator: Communicator
  private let layout: ParameterLayout
  private let rollCall: RollCall?
  private let buckets: GradientBuckets
  /// Made by `connect`: all ranks make it together, and trainers are made where each may fail alone.
  private var sums: BucketSums?
  /// The buckets one after the other; after the gradients statistics, means, and the words below.
  private var message = UnsafeMutableBufferPointer<Int64>(start: nil, count: 0)
  /// float32 gradients travel apart, and not exactly; then no bucket holds any.
  private let plainGradients: Tensor?
  /// Whether buckets may travel before the last one is there. Changes no bit; between steps only.
  package var overlaps: Bool
  /// Whether a rank that waits leaves its core to others, 0.2 ms at a time: where many are to share a few.
  package var restsWhileWaiting = false
  private var sum: Sum
  private var step = 0
  /// Buckets that are on their way.
  private var started = 0
  /// Of this rank, with samples.
  private var lastShard = 0
  private var failure: (any Error)?

  /// `scalars` have the names of a step's. `signals`: how many numbers ranks tell each other with the sums. `rollCall`
  /// hears of a long wait. `bucketSize`: gradients of a bucket.
  package init(
    layout: ParameterLayout, scalars: StepScalars, signals: Int, kind: GradientReductionKind, overlaps: Bool = true,
    communicator: Communicator, rollCall: RollCall? = nil, bucketSize: Int = GradientReduction.usualBucketSize
  ) {
    self.layout = layout
    self.communicator = communicator
    self.rollCall = rollCall
    self.overlaps = overlaps
    sum = Sum(
      gradients: Tensor(count: layout.parameterCount), statistics: Tensor(count: layout.statisticCount),
      scalars: StepScalars(like: scalars))
    plainGradients = kind == .float32 ? Tensor(count: layout.trained.count) : nil
    buckets = GradientBuckets(
      gradients: kind == .float32 ? 0 : layout.trained.count,
      others: layout.moving.count + scalars.means.count + 2 + signals, size: bucketSize)
  }

  /// Bytes of one, on one of `ranks` ranks, without the few words of scalars and signals.
  package static func bytes(_ layout: ParameterLayout, kind: GradientReductionKind, ranks: Int) -> Double {
    let gradients = Double(layout.parameterCount)
    let statistics = Double(layout.statisticCount)
    let message = (kind == .exact ? 8 : 4) * Double(layout.trained.count) + 8 * Double(layout.moving.count)
    // The ranks of a host share the sums, half as long as a message. MPI keeps about half of what is under way to other
    // hosts once more (Open MPI 4.1), for one rank a host.
    return 4 * (gradients + statistics) + message * (ranks > 1 ? 1.5 : 1)
  }

  /// Of the last step that was finished.
  package var gradients: Tensor { sum.gradients }

  /// 2 MiB of a message: smaller ones, more of them under way at once, take longer on a slow link
  /// (docs/PERFORMANCE.md).
  package static let usualBucketSize = 1 << 18

  /// Of the messages of a step, from each rank: what is frozen is in none of them.
  package var messageBytes: Int {
    buckets.messageCount * MemoryLayout<Int64>.size + (plainGradients?.count ?? 0) * MemoryLayout<Float>.size
  }

  /// Parts in which they travel.
  package var bucketCount: Int { buckets.count }

  private var statistics: UnsafeMutablePointer<Int64> { message.baseAddress! + buckets.othersStart }
  private var meansStart: Int { buckets.othersStart + layout.moving.count }
  private var correctPlace: Int { meansStart + sum.scalars.means.count }
  private var refusedPlace: Int { correctPlace + 1 }

  /// Before `finish`, what this rank tells the others; afterwards the sum over all ranks.
  package subscript(signal index: Int) -> Int64 {
    get { message[refusedPlace + 1 + index] }
    set { message[refusedPlace + 1 + index] = newValue }
  }

  /// Makes the memory of the ranks of a host. Every rank calls it; `begin` does so where nobody has.
  package func connect() throws {
    guard sums == nil else { return }
    let sums = try BucketSums(buckets, communicator)
    self.sums = sums
    message = sums.message
  }

  /// Starts step `step`, on this rank's part of a batch.
  package func begin(step: Int, _ batch: Batch) throws {
    try connect()
    message.update(repeating: 0)
    plainGradients?.values.update(repeating: 0)
    self.step = step
    started = 0
    failure = nil
    sum.refused = 0
    sum.firstRefused = nil
    lastShard = batch.shards.last { $0.count > 0 }?.index ?? -1
  }

  /// The first `count` gradients of a shard are final: of this rank's last one, adds and sends the buckets that are
  /// complete, and lets what is under way advance. An error is thrown by `finish`.
  package func advance(_ gradients: Tensor, of shard: Shard, final count: Int) {
    guard shard.index == lastShard, overlaps, plainGradients == nil, communicator.size > 1, failure == nil else {
      return
    }
    do {
      let count = layout.trained.count(before: count)
      while started < buckets.count - 1, buckets.range(started).upperBound <= count {
        add(gradients, to: started, share: shard.share)
        try start(started)
      }
      try sums?.progress()
    } catch { failure = error }
  }

  /// Adds a shard: what of its mean gradient is not added yet, its running statistics and its scalars, weighted by its
  /// share of the batch's samples.
  package func add(_ result: ShardResult, share: Double) {
    let gradients = result.gradients
    if let plainGradients {
      sum.refused += gradients.values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
      layout.trained.forEach(in: 0..<layout.trained.count) { block, first in
        let sums = plainGradients.pointer + first
        Elementwise.combine(
          1, sums, Float(share), gradients.pointer + block.lowerBound, count: block.count, into: sums)
      }
    } else {
      for bucket in started..<buckets.count { add(gradients, to: bucket, share: share) }
    }
    if sum.refused > 0, sum.firstRefused == nil { sum.firstRefused = nameOfFirst(in: gradients) }
    layout.moving.forEach(in: 0..<layout.moving.count) { block, first in
      sum.refused += FixedPoint.add(
        result.statistics.pointer + block.lowerBound, count: block.count, share: share, to: statistics + first)
    }
    for index in result.scalars.means.indices {
      sum.refused += FixedPoint.add(result.scalars.means[index], share: share, to: &message[meansStart + index])
    }
    if sum.refused > 0, sum.firstRefused == nil { sum.firstRefused = "a loss or a running statistic" }
    message[correctPlace] += Int64(result.scalars.correct)
  }

  private func add(_ gradients: Tensor, to bucket: Int, share: Double) {
    let range = buckets.range(bucket)
    let sums = message.baseAddress! + buckets.place(bucket).lowerBound - range.lowerBound
    layout.trained.forEach(in: range) { block, first in
      sum.refused += FixedPoint.add(
        gradients.pointer + block.lowerBound, count: block.count, share: share, to: sums + first)
    }
  }

  private func start(_ bucket: Int) throws {
    message[buckets.place(bucket).upperBound - 1] = identity(of: bucket)
    started = bucket + 1
    try sums?.start(bucket)
  }

  /// Different for every bucket of every step, and so are sums of them.
  private func identity(of bucket: Int) -> Int64 {
    Int64(bitPattern: RandomStream.mix(UInt64(step) << 20 ^ UInt64(bucket)))
  }

  /// Sums over all ranks, signals too.
  /// Throws where the ranks' messages do not belong together: on all ranks where their words say so, on all of a host
  /// where their lengths do.
  package func finish() throws -> Sum {
    message[refusedPlace] = Int64(sum.refused)
    if let failure { throw failure }
    try reduce()
    if let plainGradients {
      try communicator.sum(plainGradients.values)
      layout.trained.forEach(in: 0..<layout.trained.count) { block, first in
        (sum.gradients.pointer + block.lowerBound).update(from: plainGradients.pointer + first, count: block.count)
      }
    }
    layout.moving.forEach(in: 0..<layout.moving.count) { block, first in
      FixedPoint.decode(statistics + first, count: block.count, into: sum.statistics.pointer + block.lowerBound)
    }
    sum.refused = Int(message[refusedPlace])
    for index in sum.scalars.means.indices {
      sum.scalars.set(index, sum.refused == 0 ? FixedPoint.decode(message[meansStart + index]) : .nan)
    }
    sum.scalars.correct = Int(message[correctPlace])
    return sum
  }

  private func reduce() throws {
    while started < buckets.count { try start(started) }
    for bucket in 0..<buckets.count {
      try sums?.take(bucket) {
        try rollCall?.wait(step: step)
        if restsWhileWaiting { usleep(200) }
      }
      guard message[buckets.place(bucket).upperBound - 1] == identity(of: bucket) &* Int64(communicator.size) else {
        throw try ranksOutOfStep(at: bucket)
      }
      decode(bucket)
    }
  }

  /// Where the ranks are, whose messages met here and do not belong together. Each of them finds that out, in the same
  /// sum.
  private func ranksOutOfStep(at bucket: Int) throws -> SharedError {
    let mine = [Int64(step), Int64(bucket)].withUnsafeBytes { Array($0) }
    let places = try communicator.gather(mine).enumerated().map { rank, bytes in
      let step = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
      let bucket = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: Int64.self) }
      return "rank \(rank) part \(bucket) of step \(step)"
    }
    return SharedError(
      exitCode: ExitCode.ranksDisagree,
      description:
        "the ranks summed messages that do not belong together: \(places.joined(separator: ", ")); one left out or "
        + "doubled a message, or cut it short; nothing was saved of that: go on from the last checkpoint")
  }

  private func decode(_ bucket: Int) {
    layout.trained.forEach(in: buckets.range(bucket)) { block, first in
      sums?.decode(first..<first + block.count, of: bucket, into: sum.gradients.pointer + block.lowerBound)
    }
  }

  private func nameOfFirst(in gradients: Tensor) -> String {
    let entry = layout.parameters.first { entry in
      gradients.values[entry.range].contains { !($0.magnitude <= FixedPoint.largest) }
    }
    return entry.map { "the gradient of \($0.name)" } ?? "a gradient"
  }
}
