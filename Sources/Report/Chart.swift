import Foundation
import Reporting

/// Lines over steps or epochs, as the template draws them: every number as text, in the units of its picture.
struct Chart {
  struct Point {
    var x, y: Double
    /// Half the height of a band around it.
    var spread = 0.0
  }

  struct Series {
    var name: String
    var points: [Point]
    /// Of the colours; in the series' order where it is nil.
    var colour: Int? = nil
  }

  struct Tick {
    let at, label: String
  }

  struct Line {
    /// Of the style sheet: colour and dashes.
    let style: String
    let path: String
    /// A polygon's points.
    let band: String
    let hasBand: Bool
    let dots: [Dot]
  }

  struct Dot {
    let cx, cy, note: String
  }

  struct Entry {
    let style, name, last: String
    /// The same with all its digits, as the records have it.
    let exact: String
  }

  let title, xLabel: String
  let note: String?
  let yTicks, xTicks: [Tick]
  let lines: [Line]
  let legend: [Entry]
  /// Of the picture, which is as wide as a telephone's screen: so its letters are never made much smaller.
  let width = 420
  let height = 250
  let left = 50
  let right = 410
  let top = 10
  let bottom = 214

  /// Nil where there is nothing to draw.
  init?(
    _ title: String, by xLabel: String, _ series: [Series], isFraction: Bool = false, note: String? = nil
  ) {
    let series = series.map { Series(name: $0.name, points: $0.points.filter(\.isFinite), colour: $0.colour) }
      .filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return nil }
    self.title = isFraction ? "\(title), %" : title
    self.xLabel = xLabel
    self.note = note
    let scale = isFraction ? 100.0 : 1
    let thin = series.map { Self.thinned($0.points) }
    let x = Axis(thin.flatMap { $0.map(\.x) }, from: Double(left), to: Double(right), startsAtZero: true)
    let y = Self.axis(
      thin.flatMap { $0.flatMap { [($0.y - $0.spread) * scale, ($0.y + $0.spread) * scale] } }, from: Double(bottom),
      to: Double(top), isFraction: isFraction)
    yTicks = y.ticks.map { Tick(at: Self.place(y.place($0)), label: y.label($0)) }
    xTicks = x.ticks.map { Tick(at: Self.place(x.place($0)), label: x.label($0)) }
    func pair(_ point: Point, _ sign: Double) -> String {
      "\(Self.place(x.place(point.x))),\(Self.place(y.place((point.y + sign * point.spread) * scale)))"
    }
    lines = zip(series, thin).enumerated().map { index, pair2 in
      let points = pair2.1
      let isWide = points.contains { $0.spread > 0 }
      return Line(
        style: Self.style(pair2.0.colour ?? index), path: points.map { pair($0, 0) }.joined(separator: " "),
        band: isWide
          ? (points.map { pair($0, 1) } + points.reversed().map { pair($0, -1) }).joined(separator: " ") : "",
        hasBand: isWide,
        dots: (points.count <= Self.mostDots ? points : [points.last!]).map { point in
          Dot(
            cx: Self.place(x.place(point.x)), cy: Self.place(y.place(point.y * scale)),
            note: "\(pair2.0.name): \(Self.number(point.y, isFraction)) at \(xLabel) \(decimal(point.x, places: 0))")
        })
    }
    legend = series.enumerated().map { index, series in
      let last = series.points.last!.y
      return Entry(
        style: Self.style(series.colour ?? index), name: series.name, last: Self.number(last, isFraction),
        exact: "\(last)")
    }
  }

  /// More points are means of their neighbours: no screen shows more.
  private static let mostPoints = 240
  private static let mostDots = 40

  private static func thinned(_ points: [Point]) -> [Point] {
    guard points.count > mostPoints else { return points }
    return (0..<mostPoints).map { index in
      let part = points[index * points.count / mostPoints..<(index + 1) * points.count / mostPoints]
      func mean(_ value: (Point) -> Double) -> Double { part.reduce(0) { $0 + value($1) } / Double(part.count) }
      return Point(x: mean(\.x), y: mean(\.y), spread: mean(\.spread))
    }
  }

  /// Values that hardly differ get room around them, or their noise would look like news; but tenths of a point of an
  /// accuracy count.
  private static func axis(_ values: [Double], from start: Double, to end: Double, isFraction: Bool) -> Axis {
    let (least, greatest) = (values.min()!, values.max()!)
    let size = max(abs(least), abs(greatest))
    let isNarrow = greatest - least < (isFraction ? 1e-6 : 0.1 * size)
    let room = isNarrow || greatest == least ? (size > 0 ? size * 0.1 : 1) : 0
    return Axis([least - room, greatest + room], from: start, to: end, startsAtZero: false)
  }

  /// Colours and, beyond them, dashes.
  static func style(_ index: Int) -> String { "s\(index % 7)\(index < 7 ? "" : " dashed")" }

  static func number(_ value: Double, _ isFraction: Bool) -> String {
    if isFraction { return percent(value) }
    return value > 0 && value < 0.01 ? RefinementSummary.short(value) : decimal(value, places: 4)
  }

  private static func place(_ value: Double) -> String { decimal(value, places: 1) }
}

extension Chart.Point {
  fileprivate var isFinite: Bool { x.isFinite && y.isFinite && spread.isFinite }
}
