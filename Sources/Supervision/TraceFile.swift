import Files
import Runtime

/// The phases of all ranks as Chrome's trace format has them; https://ui.perfetto.dev shows it. A rank is a process of
/// it, a step an event, and the phases of a step events within. Times are microseconds since the first.
package struct TraceFile: Encodable {
  package struct Rank {
    let host: String
    let entries: [PhaseTrace.Entry]
    let end: Int64
    let offset: Int64

    /// - Parameters:
    ///   - end: when the last phase was left, in nanoseconds.
    ///   - offset: to be added to its times.
    package init(host: String, entries: [PhaseTrace.Entry], end: Int64, offset: Int64) {
      self.host = host
      self.entries = entries
      self.end = end
      self.offset = offset
    }
  }

  private struct Event: Encodable {
    let name: String
    var cat: String?
    let ph: String
    var ts: Double?
    var dur: Double?
    let pid: Int
    var tid = 0
    var args: Arguments?
  }

  private struct Arguments: Encodable {
    var name: String?
    var step: Int?
    var sortIndex: Int?

    enum CodingKeys: String, CodingKey {
      case name, step
      case sortIndex = "sort_index"
    }
  }

  private let traceEvents: [Event]
  private let displayTimeUnit = "ms"
  private let otherData: [String: String]

  /// - Parameters:
  ///   - uncertainty: of clocks of different hosts, in nanoseconds.
  ///   - program: what ran, with its libraries.
  package init(_ ranks: [Rank], uncertainty: Int64, program: String) {
    let origin = ranks.compactMap { rank in rank.entries.first.map { $0.time + rank.offset } }.min() ?? 0
    otherData = [
      "program": program, "clock_uncertainty_us": "\(Double(uncertainty) / 1000)",
    ]
    traceEvents = ranks.enumerated().flatMap { number, rank in
      [
        Event(name: "process_name", ph: "M", pid: number, args: Arguments(name: "rank \(number) on \(rank.host)")),
        Event(name: "process_sort_index", ph: "M", pid: number, args: Arguments(sortIndex: number)),
      ] + Self.events(of: rank, number: number, origin: origin)
    }
  }

  private static func events(of rank: Rank, number: Int, origin: Int64) -> [Event] {
    func event(_ name: String, _ category: String, step: Int, from start: Int64, to end: Int64) -> Event {
      Event(
        name: name, cat: category, ph: "X", ts: Double(start + rank.offset - origin) / 1000,
        dur: Double(end - start) / 1000, pid: number, args: Arguments(step: step))
    }
    var events: [Event] = []
    var first = 0
    for (index, entry) in rank.entries.enumerated() {
      let next = index + 1 < rank.entries.count ? rank.entries[index + 1] : nil
      events.append(
        event("\(entry.phase)", "phase", step: entry.step, from: entry.time, to: next?.time ?? rank.end))
      if next?.step != entry.step {
        events.append(
          event(
            "step \(entry.step)", "step", step: entry.step, from: rank.entries[first].time, to: next?.time ?? rank.end))
        first = index + 1
      }
    }
    return events
  }

  package var text: String { JSONText.of(self) + "\n" }
}
