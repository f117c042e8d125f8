import Kernels
import MPI
import Networks

/// The one reduction of a step: gradients, running statistics, losses, counts and the status word in one message of
/// integers, so the sum has the same bits in any order, over any number of ranks (docs/ARCHITECTURE.md, "Exact sums").
package final class GradientReduction {
  private let communicator: Communicator
  private let layout: ParameterLayout
  private let means: Int
  /// [gradients | statistics | means | correct, refused]; `exact` false leaves the gradients to `plainGradients`.
  private let message: UnsafeMutableBufferPointer<Int64>
  private let plainGradients: Tensor?
  private let gradientCount: Int
  /// The first value of this rank that was refused, for the message: a parameter's name, or what else it was.
  package private(set) var firstRefused: String?

  package init(
    layout: ParameterLayout, taps: Int, kind: GradientReductionKind, communicator: Communicator
  ) {
    (self.layout, self.communicator) = (layout, communicator)
    means = StepSums(taps: taps).means.count
    plainGradients = kind == .float32 ? Tensor(count: layout.parameterCount) : nil
    gradientCount = kind == .float32 ? 0 : layout.parameterCount
    message = .allocate(capacity: gradientCount + layout.statisticCount + means + 2)
  }

  deinit { message.deallocate() }

  private var statisticsStart: Int { gradientCount }
  private var meansStart: Int { gradientCount + layout.statisticCount }
  private var correctIndex: Int { meansStart + means }
  private var refusedIndex: Int { meansStart + means + 1 }

  /// Starts a step.
  package func begin() {
    message.update(repeating: 0)
    plainGradients?.values.update(repeating: 0)
    firstRefused = nil
  }

  /// Adds a shard: its mean gradient, its running statistics and its means, weighted by its share of the batch's samples.
  package func add(gradients: Tensor, statistics: Tensor, sums: StepSums, share: Double) {
    let start = message.baseAddress!
    var refused = 0
    if let plainGradients {
      refused += gradients.values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
      Elementwise.combine(
        1, plainGradients.pointer, Float(share), gradients.pointer, count: gradients.count,
        into: plainGradients.pointer)
    } else {
      refused += FixedPoint.add(gradients.pointer, count: gradients.count, share: share, to: start)
    }
    if refused > 0, firstRefused == nil { firstRefused = nameOfFirst(in: gradients) }
    refused += FixedPoint.add(
      statistics.pointer, count: statistics.count, share: share, to: start + statisticsStart)
    for (index, mean) in sums.means.enumerated() {
      refused += FixedPoint.add(mean, share: share, to: &message[meansStart + index])
    }
    if refused > 0, firstRefused == nil { firstRefused = "a loss or a running statistic" }
    message[correctIndex] += Int64(sums.correct)
    message[refusedIndex] += Int64(refused)
  }

  /// Sums over all ranks; afterwards `gradients`, `statistics` and `sums` hold the batch's, the same bits on every rank.
  /// Returns how many values were not finite or beyond 2^18, over all ranks and shards: the step must not be taken if there
  /// are any, and the means of `sums` are then no numbers.
  package func finish(gradients: Tensor, statistics: Tensor, sums: inout StepSums) throws(MPIError) -> Int {
    try communicator.sum(message)
    if let plainGradients {
      try communicator.sum(plainGradients.values)
      gradients.pointer.update(from: plainGradients.pointer, count: gradients.count)
    } else {
      FixedPoint.decode(message.baseAddress!, count: gradients.count, into: gradients.pointer)
    }
    FixedPoint.decode(message.baseAddress! + statisticsStart, count: statistics.count, into: statistics.pointer)
    let refused = Int(message[refusedIndex])
    // A refused value counts as 0 in its sum, so that none of the means is what it says.
    for index in 0..<means {
      sums.setMean(index, refused == 0 ? FixedPoint.decode(message[meansStart + index]) : .nan)
    }
    sums.correct = Int(message[correctIndex])
    return refused
  }

  private func nameOfFirst(in gradients: Tensor) -> String {
    let entry = layout.parameters.first { entry in
      gradients.values[entry.range].contains { !($0.magnitude <= FixedPoint.largest) }
    }
    return entry.map { "the gradient of \($0.name)" } ?? "a gradient"
  }
}
