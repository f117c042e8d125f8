import Reduction
import Reporting
import Runtime
import Scaling

/// What sums over the ranks came to.
package struct AllReduceReport {
  struct Line {
    var bytes: Int
    /// Seconds, each of messages of that size.
    var exact, float32: Measurements
    /// Of as many float32 values as `exact` has integers: what choosing exact sums costs.
    var float32OfAsMany: Measurements
    /// Of the time of `exact`, the share that a computation as long hides; nil of one rank.
    var overlap: Double?
  }

  let ranks: Int
  let options: RepeatOptions
  let lines: [Line]
  /// By class of links, where there are two: of the ranks of a host, and of one rank a host.
  let links: [TransferRecord]

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
            "exact_by_float32_of_as_many_gradients": .number(exactByFloat32(line)), "overlap": .number(line.overlap),
          ])
        }),
      "links": .list(
        links.map { link in
          let seconds = Measurements(link.seconds).median
          return .object([
            "link": .text(link.link.rawValue), "ranks": .integer(link.hosts.count), "bytes": .integer(link.bytes),
            "seconds": .number(seconds), "algorithm_bytes_per_second": .number(Double(link.bytes) / seconds),
            "overlap": .number(link.overlap),
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
      return [Self.size(line.bytes)] + figures
        + [
          Table.grouped(line.bytes / 8), decimal(exactByFloat32(line), places: 2),
          line.overlap.map { percent($0) } ?? "",
        ]
    }
    return [
      Platform.description,
      "\(ranks) \(ranks == 1 ? "rank" : "ranks"); medians of \(options.repeats) repeats, of the slowest rank"
        + (ranks == 1 ? "; one rank has nothing to sum: start it under mpirun" : ""), "",
      Table.text(
        header: [
          "message", "exact us", "alg GB/s", "bus GB/s", "float32 us", "alg GB/s", "bus GB/s", "gradients",
          "exact/float32", "overlap",
        ], rows: rows, alignments: Array(repeating: .right, count: 10)), "",
      "exact/float32: the time of exact sums of so many gradients, 8 bytes each, by that of float32 sums, 4 bytes each",
      "overlap: the share of an exact sum that a computation as long hides",
    ].joined(separator: "\n") + linkText
  }

  private var linkText: String {
    guard !links.isEmpty else { return "" }
    let rows = links.map { link in
      let seconds = Measurements(link.seconds).median
      return [
        link.link == .host ? "within a host" : "between hosts", "\(link.hosts.count)", Self.size(link.bytes),
        decimal(seconds * 1e6, places: 1), decimal(Double(link.bytes) / seconds / 1e9, places: 3),
        link.overlap.map { percent($0) } ?? "",
      ]
    }
    return "\n\n"
      + Table.text(
        header: ["links", "ranks", "message", "exact us", "alg GB/s", "overlap"], rows: rows,
        alignments: [.left, .right, .right, .right, .right, .right])
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
  }
}
