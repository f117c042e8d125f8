import Reduction
import MPI
import Reporting
import Runtime

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
