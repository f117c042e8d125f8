import Configuration
import Kernels
import MPI
import Method
import Networks
import Runtime
import Supervision

/// The one reduction of a step: gradients, running statistics, losses, counts and the status words in one message of
/// integers, so the sum has the same bits in any order, over any number of ranks (docs/ARCHITECTURE.md, "Exact sums"). It
/// travels in buckets, which start as the backward pass of the last shard finishes them.
package final class GradientReduction {
  /// What the ranks tell each other with the sums.
  package struct Status {
    /// Values that were not finite or beyond 2^18, over all ranks and shards: the step must not be taken if there are any.
    package var refused = 0
    /// Ranks that were asked to stop, and those that cannot save any more.
    package var stopRequests = 0, failedSavers = 0
    /// A rank's computing time for a sample.
    package var secondsPerSample = 0.0

    package init(refused: Int = 0, stopRequests: Int = 0, failedSavers: Int = 0, secondsPerSample: Double = 0) {
      self.refused = refused
      self.stopRequests = stopRequests
      self.failedSavers = failedSavers
      self.secondsPerSample = secondsPerSample
    }
  }

  private let communicator: Communicator
  private let layout: ParameterLayout
  private let means: Int
  private let buckets: GradientBuckets
  private let pending: PendingSums
  /// The buckets one after the other; behind the gradients statistics, means, and the words below.
  private let message: UnsafeMutableBufferPointer<Int64>
  /// float32 gradients travel apart, and not exactly; then no bucket holds any.
  private let plainGradients: Tensor?
  /// Buckets that are on their way, and the step.
  private var (started, step) = (0, 0)
  private var streams = true
  private var refused = 0
  private var failure: MPIError?
  /// The first value of this rank that was refused, for the message: a parameter's name, or what else it was.
  package private(set) var firstRefused: String?

  private enum Word: Int, CaseIterable { case correct, refused, stopRequests, failedSavers, nanoseconds }

  /// `bucketSize`: gradients of a bucket.
  package init(
    layout: ParameterLayout, taps: Int, kind: GradientReductionKind, communicator: Communicator,
    bucketSize: Int = GradientReduction.usualBucketSize
  ) {
    (self.layout, self.communicator) = (layout, communicator)
    means = StepSums(taps: taps).means.count
    plainGradients = kind == .float32 ? Tensor(count: layout.parameterCount) : nil
    buckets = GradientBuckets(
      gradients: kind == .float32 ? 0 : layout.parameterCount,
      others: layout.statisticCount + means + Word.allCases.count, size: bucketSize)
    pending = PendingSums(capacity: buckets.count, communicator: communicator)
    message = .allocate(capacity: buckets.messageCount)
  }

  deinit { if !pending.isUnderWay { message.deallocate() } }

  /// 2 MiB of a message: smaller ones, more of them under way at once, take longer on a slow link (docs/PERFORMANCE.md).
  package static let usualBucketSize = 1 << 18

  private var statistics: UnsafeMutablePointer<Int64> { message.baseAddress! + buckets.othersStart }
  private var meansStart: Int { buckets.othersStart + layout.statisticCount }
  private subscript(word: Word) -> Int64 {
    get { message[meansStart + means + word.rawValue] }
    set { message[meansStart + means + word.rawValue] = newValue }
  }

  /// Starts step `step`. `streams`: buckets may travel before the last one is there.
  package func begin(step: Int, streams: Bool = true) {
    self.streams = streams
    message.update(repeating: 0)
    plainGradients?.values.update(repeating: 0)
    (started, refused, firstRefused, failure) = (0, 0, nil, nil)
    self.step = step
  }

  /// The first `count` gradients of this rank's last shard are final: adds and sends the buckets that are complete, and lets
  /// what is under way advance. An error is thrown by `finish`.
  package func advance(_ gradients: Tensor, finished count: Int, share: Double) {
    guard streams, plainGradients == nil, communicator.size > 1, failure == nil else { return }
    do throws(MPIError) {
      while started < buckets.count - 1, buckets.range(started).upperBound <= count {
        add(gradients, to: started, share: share)
        try start(started)
      }
      try pending.progress()
    } catch { failure = error }
  }

  /// Adds a shard: what of its mean gradient is not added yet, its running statistics and its means, weighted by its share
  /// of the batch's samples.
  package func add(gradients: Tensor, statistics: Tensor, sums: StepSums, share: Double) {
    if let plainGradients {
      refused += gradients.values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
      Elementwise.combine(
        1, plainGradients.pointer, Float(share), gradients.pointer, count: gradients.count,
        into: plainGradients.pointer)
    } else {
      for bucket in started..<buckets.count { add(gradients, to: bucket, share: share) }
    }
    if refused > 0, firstRefused == nil { firstRefused = nameOfFirst(in: gradients) }
    refused += FixedPoint.add(statistics.pointer, count: statistics.count, share: share, to: self.statistics)
    for (index, mean) in sums.means.enumerated() {
      refused += FixedPoint.add(mean, share: share, to: &message[meansStart + index])
    }
    if refused > 0, firstRefused == nil { firstRefused = "a loss or a running statistic" }
    self[.correct] += Int64(sums.correct)
  }

  private func add(_ gradients: Tensor, to bucket: Int, share: Double) {
    let range = buckets.range(bucket)
    refused += FixedPoint.add(
      gradients.pointer + range.lowerBound, count: range.count, share: share,
      to: message.baseAddress! + buckets.place(bucket).lowerBound)
  }

  /// Sends a bucket, `missing` values too few where a test orders it.
  private func start(_ bucket: Int, shortBy missing: Int = 0) throws(MPIError) {
    let place = buckets.place(bucket)
    message[place.upperBound - 1] = identity(of: bucket)
    started = bucket + 1
    try pending.start(UnsafeMutableBufferPointer(rebasing: message[place.dropLast(missing)]))
  }

  /// Different for every bucket of every step, and so are sums of them.
  private func identity(of bucket: Int) -> Int64 {
    Int64(bitPattern: RandomStream.mix(UInt64(step) << 20 ^ UInt64(bucket)))
  }

  /// Sums over all ranks; afterwards `gradients`, `statistics` and `sums` hold the batch's, the same bits on every rank.
  /// `status` goes in with this rank's part and comes back with the sum of all; where values were refused, the means of
  /// `sums` are no numbers.
  /// Throws where the ranks' messages do not belong together, on all ranks.
  package func finish(
    gradients: Tensor, statistics: Tensor, sums: inout StepSums, status: inout Status, pulse: Pulse
  ) throws {
    let fault = pulse.orderedFault
    self[.refused] = Int64(refused)
    self[.stopRequests] = Int64(status.stopRequests)
    self[.failedSavers] = Int64(status.failedSavers)
    self[.nanoseconds] = Int64(status.secondsPerSample * 1e9)
    if let failure { throw failure }
    if communicator.size > 1, fault != .skip {
      try reduce(shortBy: fault == .count ? 1 : 0, into: gradients, pulse)
    } else {
      for bucket in 0..<buckets.count { decode(bucket, into: gradients) }
    }
    if let plainGradients {
      try communicator.sum(plainGradients.values)
      gradients.pointer.update(from: plainGradients.pointer, count: gradients.count)
    }
    FixedPoint.decode(self.statistics, count: statistics.count, into: statistics.pointer)
    status = Status(
      refused: Int(self[.refused]), stopRequests: Int(self[.stopRequests]), failedSavers: Int(self[.failedSavers]),
      secondsPerSample: Double(self[.nanoseconds]) * 1e-9)
    // A refused value counts as 0 in its sum, so that none of the means is what it says.
    for index in 0..<means {
      sums.setMean(index, status.refused == 0 ? FixedPoint.decode(message[meansStart + index]) : .nan)
    }
    sums.correct = Int(self[.correct])
  }

  private func reduce(shortBy missing: Int, into gradients: Tensor, _ pulse: Pulse) throws {
    while started < buckets.count { try start(started, shortBy: started == buckets.count - 1 ? missing : 0) }
    for bucket in 0..<buckets.count {
      try pending.wait(pulse.wait)
      guard message[buckets.place(bucket).upperBound - 1] == identity(of: bucket) &* Int64(communicator.size) else {
        throw try ranksOutOfStep(at: bucket)
      }
      decode(bucket, into: gradients)
    }
  }

  /// Where the ranks are, whose messages met here and do not belong together. Each of them finds that out, in the same sum.
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

  private func decode(_ bucket: Int, into gradients: Tensor) {
    let range = buckets.range(bucket)
    FixedPoint.decode(
      message.baseAddress! + buckets.place(bucket).lowerBound, count: range.count,
      into: gradients.pointer + range.lowerBound)
  }

  private func nameOfFirst(in gradients: Tensor) -> String {
    let entry = layout.parameters.first { entry in
      gradients.values[entry.range].contains { !($0.magnitude <= FixedPoint.largest) }
    }
    return entry.map { "the gradient of \($0.name)" } ?? "a gradient"
  }
}
