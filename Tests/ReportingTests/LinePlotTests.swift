import Foundation
import Reporting
import Testing

@Suite struct LinePlotTests {
  private func plot(_ points: [LinePlot.Point], name: String = "a") -> LinePlot {
    LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [(name: name, points: points)])
  }

  @Test func `a picture is XML, with a line, a band, and names that cannot break it`() throws {
    let svg = plot([.init(x: 0, y: 1, spread: 0.5), .init(x: 10, y: 3, spread: 0)], name: "<a> & b").svg
    #expect(XMLParserCheck.isWellFormed(svg))
    #expect(svg.contains("<polyline ") && svg.contains("<polygon ") && svg.contains("&lt;a&gt; &amp; b"))
  }

  @Test func `ticks are round numbers, and one point is a picture too`() {
    let svg = plot([.init(x: 1, y: 30, spread: 0), .init(x: 60, y: 42, spread: 0)]).svg
    for tick in [">0<", ">10<", ">60<", ">30<", ">32<", ">42<"] { #expect(svg.contains(tick), "\(tick)") }
    #expect(!svg.contains("<polygon"))
    #expect(plot([.init(x: 1, y: 5, spread: 0)]).svg.contains("<polyline"))
    #expect(!plot([.init(x: 0, y: 0, spread: 0)]).svg.contains("nan"))
    #expect(plot([]).svg == "")
  }
}

/// Opening and closing tags match, and quotes pair: what a browser needs. (Foundation's parser is another library.)
private enum XMLParserCheck {
  static func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    for tag in text.split(separator: "<").filter({ !$0.isEmpty }) {
      guard let end = tag.firstIndex(of: ">"), !tag[..<end].contains("<") else { return tag.allSatisfy(\.isWhitespace) }
      let inside = tag[..<end]
      guard inside.count(where: { $0 == "\"" }) % 2 == 0 else { return false }
      if inside.hasPrefix("/") {
        guard open.popLast() == inside.dropFirst() else { return false }
      } else if !inside.hasSuffix("/") {
        open.append(inside.prefix { !$0.isWhitespace })
      }
    }
    return open.isEmpty
  }
}
