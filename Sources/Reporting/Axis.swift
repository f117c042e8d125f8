import Foundation

/// From values to places in the picture, with ticks at round numbers.
package struct Axis: Sendable {
  package let ticks: [Double]
  private let (low, high): (Double, Double)
  private let (start, end): (Double, Double)
  private let step: Double

  package init(_ values: [Double], from start: Double, to end: Double, startsAtZero: Bool) {
    self.start = start
    self.end = end
    let least = startsAtZero ? 0 : values.min()!
    // Equal values still need room.
    let greatest = max(values.max()!, least + 1e-9 + abs(least) * 1e-6)
    let margin = startsAtZero ? 0 : (greatest - least) * 0.04
    low = least - margin
    high = greatest + margin
    step = Self.roundStep((high - low) / 6)
    ticks = (Int((low / step).rounded(.up))...Int((high / step).rounded(.down))).map { [step] in Double($0) * step }
  }

  package func place(_ value: Double) -> Double { start + (value - low) / (high - low) * (end - start) }

  package func label(_ tick: Double) -> String {
    decimal(tick, places: max(0, Int(-log10(step).rounded(.down))))
  }

  /// 1, 2 or 5 times a power of ten: the first that is not far below `step`.
  static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    return [1, 2, 5, 10].first { $0 * power >= step * 0.7 }! * power
  }
}
