import Foundation

/// A point in a glyph's own square: x to the right and y down, both in -1...1.
struct Point {
  var x: Double
  var y: Double
}

/// The ten digits as pen strokes.
enum GlyphShapes {
  /// The strokes of a digit, each a line through its points; arcs are flattened. Made once.
  static let digits: [[[Point]]] = [
    [arc(0, 0, 0.55, 0.9, 0, 360)],
    [line((-0.3, -0.6), (0.05, -0.9), (0.05, 0.9))],
    [arc(0, -0.4, 0.5, 0.5, 180, 400) + line((-0.55, 0.9), (0.55, 0.9))],
    [arc(-0.05, -0.45, 0.5, 0.45, 200, 450) + arc(-0.05, 0.45, 0.55, 0.45, 270, 520)],
    [line((0.25, 0.9), (0.25, -0.9), (-0.55, 0.35), (0.6, 0.35))],
    [line((0.5, -0.9), (-0.4, -0.9), (-0.45, -0.05)) + arc(-0.02, 0.32, 0.55, 0.57, 220, 500)],
    [arc(0.4, 0.35, 0.9, 1.25, 255, 180), arc(0, 0.4, 0.5, 0.5, 0, 360)],
    [line((-0.55, -0.9), (0.55, -0.9), (-0.1, 0.9))],
    [arc(0, -0.45, 0.42, 0.43, 0, 360), arc(0, 0.45, 0.52, 0.46, 0, 360)],
    [arc(-0.4, -0.35, 0.9, 1.25, 75, 0), arc(0, -0.4, 0.5, 0.5, 0, 360)],
  ]

  private static func line(_ points: (Double, Double)...) -> [Point] {
    points.map { Point(x: $0.0, y: $0.1) }
  }

  /// Part of an ellipse around (x, y) with half axes (width, height); angles in degrees, 0 right and 90 down.
  private static func arc(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ from: Double, _ to: Double
  ) -> [Point] {
    // 20 degrees a piece: at this size the chord is less than a tenth of a pixel off the arc.
    let pieces = Int((abs(to - from) / 20).rounded(.up))
    return (0...pieces).map { piece in
      let angle = (from + (to - from) * Double(piece) / Double(pieces)) * .pi / 180
      return Point(x: x + width * cos(angle), y: y + height * sin(angle))
    }
  }
}
