import Files
import Foundation
import Reporting
import Runtime

/// What every rank did in the steps that `icp train --trace` wrote down.
struct RunTrace {
  struct Span: Equatable {
    let phase: Phase
    let rank, step: Int
    /// Seconds since the trace began.
    let start, seconds: Double
  }

  let spans: [Span]

  /// Nil where there is no trace, or none of ours.
  init?(_ path: String) {
    guard let bytes = try? RegularFile.read(path, followLinks: false),
      let file = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any],
      let events = file["traceEvents"] as? [[String: Any]]
    else { return nil }
    let known = Dictionary(uniqueKeysWithValues: Phase.allCases.map { ("\($0)", $0) })
    spans = events.compactMap { event in
      guard event["cat"] as? String == "phase", let phase = (event["name"] as? String).flatMap({ known[$0] }),
        let rank = event["pid"] as? Int, (0..<100_000).contains(rank), let start = event["ts"] as? Double,
        let length = event["dur"] as? Double, start.isFinite, length >= 0, length.isFinite,
        let step = (event["args"] as? [String: Any])?["step"] as? Int
      else { return nil }
      return Span(phase: phase, rank: rank, step: step, start: start / 1e6, seconds: length / 1e6)
    }
    guard !spans.isEmpty else { return nil }
  }

  private var ranks: Int { spans.map(\.rank).max()! + 1 }
  private var steps: [Int] { Set(spans.map(\.step)).sorted() }

  /// "steps 10 to 20"
  private var stepsText: String {
    let steps = steps
    return steps.count == 1 ? "step \(steps[0])" : "steps \(steps[0]) to \(steps[steps.count - 1])"
  }

  /// Phases of a step, over the ranks.
  var table: PageTable {
    let (ranks, count) = (ranks, Double(steps.count))
    // In one pass: a trace has ranks times steps times phases spans.
    let sums = spans.reduce(into: [Phase: [Double]]()) { sums, span in
      sums[span.phase, default: Array(repeating: 0, count: ranks)][span.rank] += span.seconds
    }
    let times = Phase.allCases.map { sums[$0, default: [0]].map { $0 / count } }
    let whole = times.reduce(0) { $0 + $1.reduce(0, +) }
    func cell(_ seconds: Double) -> PageTable.Cell {
      PageTable.Cell("\(decimal(seconds * 1e3, places: 2)) ms", exact: seconds)
    }
    let rows = zip(Phase.allCases, times).filter { $0.1.contains { $0 > 0 } }.map { phase, times in
      let sum = times.reduce(0, +)
      let slowest = times.indices.max { times[$0] < times[$1] }!
      return [
        PageTable.Cell(Self.name(phase)), cell(sum / Double(ranks)),
        PageTable.Cell(whole > 0 ? sum / whole : nil, isFraction: true),
        PageTable.Cell("rank \(slowest), \(decimal(times[slowest] * 1e3, places: 2)) ms"),
      ]
    }
    return PageTable(
      "Phases of a step, the mean of \(stepsText)",
      header: ["phase", "mean of \(counted(ranks, "rank"))", "share", "longest on"], rows: rows)
  }

  /// Of few steps, so that phases can be told apart: of three in a row the shortest, between which nothing is measured
  /// or saved where there are such.
  var timeline: Timeline {
    let (steps, count) = (steps, min(3, steps.count))
    let windows = (0...steps.count - count).map { Set(steps[$0..<$0 + count]) }
    let shown = windows.min { length(of: $0) < length(of: $1) }!
    return Timeline(
      spans.filter { shown.contains($0.step) && $0.rank < Timeline.mostRanks }, ranks: min(ranks, Timeline.mostRanks),
      of: ranks, steps: shown.sorted())
  }

  private func length(of steps: Set<Int>) -> Double {
    let own = spans.filter { steps.contains($0.step) }
    return (own.map { $0.start + $0.seconds }.max() ?? 0) - (own.map(\.start).min() ?? 0)
  }

  static func name(_ phase: Phase) -> String {
    switch phase {
    case .data: "waiting for the batch"
    case .student: "student pass"
    case .refinement: "refinement"
    case .target: "target pass"
    case .backward: "backward pass"
    case .reduction: "sum over the ranks, with the wait for them"
    case .optimizer: "optimiser"
    case .records: "records and console"
    default: "\(phase)"
    }
  }
}
