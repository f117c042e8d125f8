import Reporting
import Runtime

/// Ranks over time, as the template draws them: a row a rank, a bar a phase.
struct Timeline {
  struct Bar {
    let style, x, y, width, note: String
  }

  struct Row {
    let y, name: String
  }

  struct Entry {
    let style, name: String
  }

  static let mostRanks = 32
  private static let rowHeight = 16.0
  private static let (left, right, top) = (50.0, 410.0, 10.0)

  let title: String
  let note: String
  let bars: [Bar]
  let rows: [Row]
  let legend: [Entry]
  let ticks: [Chart.Tick]
  let width = 420
  let height, bottom, tickEnd, tickText: String

  init(_ spans: [RunTrace.Span], ranks: Int, of all: Int, steps: [Int]) {
    let begin = spans.map(\.start).min() ?? 0
    let end = spans.map { $0.start + $0.seconds }.max() ?? 1
    let axis = Axis([0, (end - begin) * 1e3], from: Self.left, to: Self.right, startsAtZero: true)
    func y(_ rank: Int) -> Double { Self.top + Double(rank) * Self.rowHeight }
    func short(_ value: Double) -> String { decimal(value, places: 1) }
    title =
      "Ranks over time, \(steps.count == 1 ? "step" : "steps") \(steps.map { "\($0)" }.joined(separator: ", "))"
    note =
      "Milliseconds. A row is a rank\(all > ranks ? ", the first \(ranks) of \(all)" : ""). Ranks leave the sum together: who comes "
      + "early waits there."
    bars = spans.map { span in
      let start = axis.place((span.start - begin) * 1e3)
      return Bar(
        style: Self.style(span.phase), x: short(start), y: short(y(span.rank) + 2),
        width: short(max(0.2, axis.place((span.start - begin + span.seconds) * 1e3) - start)),
        note: "rank \(span.rank), step \(span.step), \(RunTrace.name(span.phase)): "
          + "\(decimal(span.seconds * 1e3, places: 2)) ms")
    }
    rows = (0..<ranks).map { Row(y: short(y($0) + 12), name: "rank \($0)") }
    let found = Set(spans.map(\.phase))
    legend =
      Phase.ofStep.filter(found.contains).map { Entry(style: Self.style($0), name: RunTrace.name($0)) }
      + (found.isSubset(of: Phase.ofStep) ? [] : [Entry(style: "between", name: "between steps")])
    ticks = axis.ticks.map { Chart.Tick(at: short(axis.place($0)), label: axis.label($0)) }
    let foot = y(ranks) + 4
    bottom = short(foot)
    tickEnd = short(foot + 4)
    tickText = short(foot + 18)
    height = short(foot + 26)
  }

  /// A colour of its own for each part of a step; what is between steps is grey.
  private static func style(_ phase: Phase) -> String {
    switch phase {
    case .student: "s0"
    case .refinement: "s1"
    case .target: "s2"
    case .backward: "s3"
    case .reduction: "s4"
    case .optimizer: "s5"
    case .data: "s6"
    default: "between"
    }
  }
}
