import Foundation

/// Lines with bands around them, as an SVG picture that any browser shows.
package struct LinePlot: Sendable {
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    /// Half the height of the band.
    package var spread: Double

    package init(x: Double, y: Double, spread: Double) { (self.x, self.y, self.spread) = (x, y, spread) }
  }

  package var title: String
  package var xLabel: String
  /// The points' x are decimal logarithms of what the axis says.
  package var xIsLogarithm = false
  package var yLabel: String
  /// With their names in the legend, in their order.
  package var series: [(name: String, points: [Point])]

  package init(title: String, xLabel: String, yLabel: String, series: [(name: String, points: [Point])]) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
  }

  /// Okabe and Ito's colours, which people with any kind of colour vision tell apart, without yellow: it is lost on
  /// white. Beyond seven lines they come again, dashed.
  private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
  private static let (width, height) = (820.0, 460.0)
  private static let (left, top, bottom) = (66.0, 40.0, 406.0)

  /// Empty where there is nothing to draw.
  package var svg: String {
    let points = series.flatMap(\.points)
    guard !points.isEmpty else { return "" }
    // As wide as the longest name wants, at 6.5 units a letter.
    let legend = min(300, 6.5 * Double(series.map(\.name.count).max()!) + 46)
    let right = Self.width - legend - 14
    let x = Axis(points.map(\.x), from: Self.left, to: right, startsAtZero: !xIsLogarithm)
    let y = Axis(
      points.flatMap { [$0.y - $0.spread, $0.y + $0.spread] }, from: Self.bottom, to: Self.top, startsAtZero: false)

    var body = Self.text(title, x: (Self.left + right) / 2, y: 22, anchor: "middle", size: 15)
    body += grid(x, y, right: right)
    for index in series.indices { body += band(series[index].points, x, y, colour: Self.colour(index)) }
    for index in series.indices { body += line(series[index].points, x, y, style: Self.stroke(index)) }
    for (index, entry) in series.enumerated() {
      let place = Self.top + 14 + 20 * Double(index)
      body +=
        "<line x1=\"\(Self.short(right + 12))\" y1=\"\(Self.short(place))\" x2=\"\(Self.short(right + 36))\" "
        + "y2=\"\(Self.short(place))\" \(Self.stroke(index))/>\n"
      body += Self.text(entry.name, x: right + 42, y: place + 4, anchor: "start")
    }
    let size = "\(Self.short(Self.width)) \(Self.short(Self.height))"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" font-family="sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="white"/>
      \(body)</svg>

      """
  }

  private func grid(_ x: Axis, _ y: Axis, right: Double) -> String {
    var text = ""
    for tick in y.ticks {
      let place = Self.short(y.place(tick))
      text +=
        "<line x1=\"\(Self.short(Self.left))\" y1=\"\(place)\" x2=\"\(Self.short(right))\" y2=\"\(place)\" stroke=\"#ddd\"/>\n"
      text += Self.text(y.label(tick), x: Self.left - 8, y: y.place(tick) + 4, anchor: "end")
    }
    for tick in x.ticks {
      let place = Self.short(x.place(tick))
      text +=
        "<line x1=\"\(place)\" y1=\"\(Self.short(Self.bottom))\" x2=\"\(place)\" y2=\"\(Self.short(Self.bottom + 5))\" "
        + "stroke=\"#444\"/>\n"
      let label = xIsLogarithm ? Self.power(tick) : x.label(tick)
      text += Self.text(label, x: x.place(tick), y: Self.bottom + 20, anchor: "middle")
    }
    text +=
      "<path d=\"M\(Self.short(Self.left)) \(Self.short(Self.top))V\(Self.short(Self.bottom))H\(Self.short(right))\" "
      + "fill=\"none\" stroke=\"#444\"/>\n"
    text += Self.text(xLabel, x: (Self.left + right) / 2, y: Self.bottom + 42, anchor: "middle")
    let middle = (Self.top + Self.bottom) / 2
    return text
      + Self.text(
        yLabel, x: 16, y: middle, anchor: "middle", more: " transform=\"rotate(-90 16 \(Self.short(middle)))\"")
  }

  private func band(_ points: [Point], _ x: Axis, _ y: Axis, colour: String) -> String {
    guard points.contains(where: { $0.spread > 0 }) else { return "" }
    let upper = points.map { Self.pair(x.place($0.x), y.place($0.y + $0.spread)) }
    let lower = points.reversed().map { Self.pair(x.place($0.x), y.place($0.y - $0.spread)) }
    return "<polygon points=\"\((upper + lower).joined(separator: " "))\" fill=\"\(colour)\" fill-opacity=\"0.13\"/>\n"
  }

  private func line(_ points: [Point], _ x: Axis, _ y: Axis, style: String) -> String {
    let places = points.map { Self.pair(x.place($0.x), y.place($0.y)) }
    // A dot where it ends: one line may lie on another.
    let end = points.last.map {
      "<circle cx=\"\(Self.short(x.place($0.x)))\" cy=\"\(Self.short(y.place($0.y)))\" r=\"2.5\" \(style)/>\n"
    }
    return "<polyline points=\"\(places.joined(separator: " "))\" fill=\"none\" stroke-linejoin=\"round\" \(style)/>\n"
      + (end ?? "")
  }

  private static func colour(_ index: Int) -> String { colours[index % colours.count] }

  private static func stroke(_ index: Int) -> String {
    let dashes = ["", " stroke-dasharray=\"7 3\"", " stroke-dasharray=\"2 3\""][index / colours.count % 3]
    return "stroke=\"\(colour(index))\" stroke-width=\"1.8\"\(dashes)"
  }

  private static func text(
    _ text: String, x: Double, y: Double, anchor: String, size: Int? = nil, more: String = ""
  ) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    let size = size.map { " font-size=\"\($0)\"" } ?? ""
    return "<text x=\"\(short(x))\" y=\"\(short(y))\" text-anchor=\"\(anchor)\"\(size)\(more)>\(escaped)</text>\n"
  }

  /// 0.001, 3.2e-05
  private static func power(_ exponent: Double) -> String { String(format: "%.2g", pow(10, exponent)) }

  private static func pair(_ x: Double, _ y: Double) -> String { "\(short(x)),\(short(y))" }
  private static func short(_ value: Double) -> String { decimal(value, places: 1) }
}
