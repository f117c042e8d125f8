import MPI
import Reduction
import Reporting
import Runtime
import Scaling

/// What `icp bench allreduce` does: the sums of a step alone, by the calls that training makes (`SumTimer`), at sizes
/// from 1 KiB up, of integers as the exact sums use them and of float32 in its place; then by class of links.
package struct AllReduceBenchmark {
  private let sizes: [Int]
  private let options: RepeatOptions
  private let communicator: Communicator

  /// Messages of 1 KiB, and of four times that as long as it is at most `largest` bytes.
  package init(largest: Int, options: RepeatOptions, communicator: Communicator) {
    sizes = Array(sequence(first: 1 << 10) { $0 * 4 <= largest ? $0 * 4 : nil })
    self.options = options
    self.communicator = communicator
  }

  /// The same report on every rank.
  package func run() throws -> AllReduceReport {
    try communicator.agree(on: "the program", Platform.description)
    // Zeros, as sums that replace their terms would grow without end; the time does not depend on the values.
    let message = UnsafeMutableRawBufferPointer.allocate(byteCount: sizes.last!, alignment: 64)
    message.initializeMemory(as: UInt8.self, repeating: 0)
    defer { message.deallocate() }
    let lines = try sizes.map { bytes in
      let timer = try SumTimer(communicator, bytes: bytes)
      let exact = Measurements(try communicator.largest(seconds: try timer.seconds(options)))
      let lost =
        communicator.size > 1
        ? try communicator.largest(seconds: [1 - (try timer.overlap(alone: exact.median))])[0] : nil
      return AllReduceReport.Line(
        bytes: bytes, exact: exact, float32: try seconds(message, bytes, of: Float.self) { try communicator.sum($0) },
        float32OfAsMany: try seconds(message, bytes / 2, of: Float.self) { try communicator.sum($0) },
        overlap: lost.map { 1 - $0 })
    }
    // The largest would take the longest, and says the least that the others do not.
    let probe = try NetworkProbe(communicator, options: options)
    let few = Array(sizes.dropLast(sizes.count > 4 ? 2 : 0))
    let links = probe.links.count > 1 ? try probe.links.flatMap { try probe.sums($0, sizes: few) } : []
    return AllReduceReport(ranks: communicator.size, options: options, lines: lines, links: links)
  }

  /// Seconds of one sum of `bytes` bytes, by the slowest rank of each repeat.
  private func seconds<Value>(
    _ message: UnsafeMutableRawBufferPointer, _ bytes: Int, of type: Value.Type,
    _ sum: (UnsafeMutableBufferPointer<Value>) throws -> Void
  ) throws -> Measurements {
    let memory = message.baseAddress!.bindMemory(to: type, capacity: bytes / MemoryLayout<Value>.stride)
    let values = UnsafeMutableBufferPointer(start: memory, count: bytes / MemoryLayout<Value>.stride)
    func time(_ calls: Int) throws -> Double {
      try communicator.barrier()
      let watch = Stopwatch()
      for _ in 0..<calls { try sum(values) }
      return watch.seconds / Double(calls)
    }
    for _ in 0..<options.warmUp { try sum(values) }
    // As many calls a repeat as take 2 ms; all ranks make the same number, or some would wait for ever.
    let single = try communicator.largest(seconds: [try time(1)])[0]
    let calls = min(max(Int(2e-3 / max(single, 1e-9)), 1), 1000)
    return Measurements(try communicator.largest(seconds: try (0..<options.repeats).map { _ in try time(calls) }))
  }
}
