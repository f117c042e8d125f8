import Configuration
import Foundation
import Reporting
import Runtime

/// What a learning-rate range test found: the loss by rate, smoothed, and the rate that it suggests.
package struct RateTestReport: Sendable {
  /// Of each step.
  package private(set) var rates: [Double] = []
  package private(set) var losses: [Double] = []
  /// A loss or gradient was not finite, so the test ended.
  package var isStoppedByNumbers = false
  private let kind: String
  private let own: Double
  private let last: Double

  init(_ configuration: RunConfiguration, last: Double) {
    kind = configuration.optimizer.kind.rawValue
    own = configuration.optimizer.learningRate
    self.last = last
  }

  /// For tests: of any losses.
  package init(rates: [Double], losses: [Double]) {
    self.rates = rates
    self.losses = losses
    kind = "adamw"
    own = rates[0]
    last = rates.last!
  }

  mutating func add(rate: Double, loss: Double) {
    rates.append(rate)
    losses.append(loss)
  }

  /// Steps to either side over which the loss is averaged, and the slope taken.
  private static let (near, wide) = (3, 6)

  /// The mean of each step's loss and those of its neighbours: batches differ.
  package var smoothed: [Double] {
    losses.indices.map { index in
      let window = losses[max(0, index - Self.near)...min(losses.count - 1, index + Self.near)]
      return window.reduce(0, +) / Double(window.count)
    }
  }

  /// The loss is well above the best so far: larger rates show nothing more.
  var hasDiverged: Bool {
    guard losses.count > 4 * Self.near, let now = smoothed.dropLast(Self.near).last else { return false }
    let best = smoothed.dropLast(Self.near).min()!
    return now > 2 * best && now > 1.1 * smoothed[0]
  }

  package struct Suggestion: Equatable, Sendable {
    /// Where the smoothed loss falls fastest, and by how much for ten times the rate.
    package let rate, slope: Double
    /// Of the smallest smoothed loss, and that loss.
    package let best, loss: Double
  }

  /// Nil where the loss never fell by a twentieth of where it began.
  package var suggestion: Suggestion? {
    let loss = smoothed
    guard loss.count > 2 * Self.wide, let lowest = loss.indices.min(by: { loss[$0] < loss[$1] }),
      loss[lowest] < 0.95 * loss[0]
    else { return nil }
    let slopes = (Self.wide..<max(Self.wide + 1, lowest)).map { index in
      (index, slope(loss, max(0, index - Self.wide)...min(loss.count - 1, index + Self.wide)))
    }
    let steepest = slopes.min { $0.1 < $1.1 }!
    return Suggestion(rate: rates[steepest.0], slope: steepest.1, best: rates[lowest], loss: loss[lowest])
  }

  /// Of the least-squares line, for ten times the rate.
  private func slope(_ loss: [Double], _ range: ClosedRange<Int>) -> Double {
    let x = range.map { log10(rates[$0]) }
    let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), loss[range].reduce(0, +) / Double(x.count))
    let products = zip(x, loss[range]).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    return products / x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
  }

  // MARK: As text

  package var text: String {
    [table, end, advice].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// About twenty of the steps, with the loss as a bar.
  private var table: String {
    let loss = smoothed
    guard let high = loss.max(), let low = loss.min() else { return "" }
    let every = max(1, loss.count / 20)
    let rows = stride(from: 0, to: loss.count, by: every).map { index in
      let length = high > low ? Int((40 * (loss[index] - low) / (high - low)).rounded()) : 0
      return [short(rates[index]), decimal(loss[index], places: 4), String(repeating: "#", count: length)]
    }
    return Table.text(header: ["rate", "loss", "(smoothed)"], rows: rows, alignments: [.left, .right, .left])
  }

  private var end: String {
    if isStoppedByNumbers {
      return "the test ended after \(counted(losses.count, "step")): then a loss or gradient was not finite"
    }
    return hasDiverged ? "the test ended at \(short(rates.last!)): the loss had gone up again" : ""
  }

  private var advice: String {
    guard let suggestion else {
      return
        "no suggestion: the loss hardly fell in \(counted(losses.count, "step")). Few or difficult images need more: "
        + "--steps \(max(400, 4 * losses.count)); or another range (--from, --to)"
    }
    let open =
      suggestion.best > 0.7 * last ? "\nthe loss was still falling at the end: a larger --to may show more" : ""
    return """
      suggested: optimizer.learning_rate=\(short(suggestion.rate)) (\(kind); the configuration has \(short(own)))
        there the smoothed loss falls fastest, by \(decimal(-suggestion.slope, places: 2)) for ten times the rate
        the smallest loss, \(decimal(suggestion.loss, places: 3)), was at \(short(suggestion.best)); from about there on training is unstable
      """ + open
  }

  /// Numbers as JSON has them; null without a suggestion.
  package var json: String {
    func list(_ values: [Double]) -> RecordValue { .list(values) }
    return
      ([
        "rates": list(rates), "losses": list(losses), "smoothed": list(smoothed),
        "suggested": .number(suggestion?.rate),
        "best": .number(suggestion?.best),
      ] as NamedValues).json
  }

  package var svg: String {
    func points(_ losses: [Double]) -> [LinePlot.Point] {
      zip(rates, losses).map { LinePlot.Point(x: log10($0), y: $1, spread: 0) }
    }
    var plot = LinePlot(
      title: "Learning-rate range test", xLabel: "learning rate", yLabel: "loss",
      series: [("a step", points(losses)), ("smoothed", points(smoothed))])
    plot.xIsLogarithm = true
    if let suggestion, let low = losses.min(), let high = losses.max() {
      let x = log10(suggestion.rate)
      plot.series.append(
        ("suggested", [LinePlot.Point(x: x, y: low, spread: 0), LinePlot.Point(x: x, y: high, spread: 0)]))
    }
    return plot.svg
  }

  private func short(_ rate: Double) -> String { String(format: "%.2g", rate) }
}
