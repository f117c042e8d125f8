import Reduction
import MPI
import Reporting
import Runtime

/// What `icp bench allreduce` does: the reduction of a step alone, over the ranks there are, at sizes from 1 KiB up: of
/// integers as the exact sums use them, and of float32 in its place.
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
      AllReduceReport.Line(
        bytes: bytes, exact: try seconds(message, bytes, of: Int64.self) { try communicator.sum($0) },
        float32: try seconds(message, bytes, of: Float.self) { try communicator.sum($0) },
        float32OfAsMany: try seconds(message, bytes / 2, of: Float.self) { try communicator.sum($0) })
    }
    return AllReduceReport(ranks: communicator.size, options: options, lines: lines)
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

/// What sums over the ranks came to.
package struct AllReduceReport {
  struct Line {
    var bytes: Int
    /// Seconds, each of messages of that size.
    var exact, float32: Measurements
    /// Of as many float32 values as `exact` has integers: what choosing exact sums costs.
    var float32OfAsMany: Measurements
  }

  let ranks: Int
  let options: RepeatOptions
  let lines: [Line]

  /// Bytes that cross the slowest link, for a byte of the message: each rank must send and receive that much at least.
  private var busFactor: Double { 2 * Double(ranks - 1) / Double(ranks) }

  private func value(_ line: Line, _ seconds: Measurements, bytesAValue: Int) -> BenchmarkValue {
    let bandwidth = Double(line.bytes) / seconds.median
    return .object([
      "gradients": .integer(line.bytes / bytesAValue), "seconds": .number(seconds.median),
      "seconds_min": .number(seconds.minimum), "seconds_max": .number(seconds.maximum),
      "spread": .number(seconds.spread), "algorithm_bytes_per_second": .number(bandwidth),
      "bus_bytes_per_second": .number(bandwidth * busFactor),
    ])
  }

  private func exactByFloat32(_ line: Line) -> Double { line.exact.median / line.float32OfAsMany.median }

  /// For scripts.
  package var json: String {
    BenchmarkValue.object([
      "sizes": .list(
        lines.map { line in
          .object([
            "bytes": .integer(line.bytes), "exact": value(line, line.exact, bytesAValue: 8),
            "float32": value(line, line.float32, bytesAValue: 4),
            "exact_by_float32_of_as_many_gradients": .number(exactByFloat32(line)),
          ])
        }), "ranks": .integer(ranks), "warm_up": .integer(options.warmUp), "repeats": .integer(options.repeats),
      "versions": .text(Platform.description),
    ]).json
  }

  /// For people.
  package var text: String {
    let rows = lines.map { line in
      let figures = [line.exact, line.float32].flatMap { seconds in
        let gigabytes = Double(line.bytes) / seconds.median / 1e9
        return [
          decimal(seconds.median * 1e6, places: 1), decimal(gigabytes, places: 3),
          decimal(gigabytes * busFactor, places: 3),
        ]
      }
      return [line.bytes >= 1 << 20 ? "\(line.bytes >> 20) MiB" : "\(line.bytes >> 10) KiB"] + figures
        + [Table.grouped(line.bytes / 8), decimal(exactByFloat32(line), places: 2)]
    }
    return [
      Platform.description,
      "\(ranks) \(ranks == 1 ? "rank" : "ranks"); medians of \(options.repeats) repeats, of the slowest rank"
        + (ranks == 1 ? "; one rank has nothing to sum: start it under mpirun" : ""), "",
      Table.text(
        header: [
          "message", "exact us", "alg GB/s", "bus GB/s", "float32 us", "alg GB/s", "bus GB/s", "gradients",
          "exact/float32",
        ], rows: rows, alignments: [.right, .right, .right, .right, .right, .right, .right, .right, .right]), "",
      "exact/float32: the time of exact sums of so many gradients, 8 bytes each, by that of float32 sums, 4 bytes each",
    ].joined(separator: "\n")
  }
}
