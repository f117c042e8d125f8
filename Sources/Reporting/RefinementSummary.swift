import Foundation

/// What the method did in some steps, in a line: means over those of them that refined images and were logged.
package struct RefinementSummary: Sendable, Equatable {
  /// The mean cross entropy at x_0 and at x_T.
  package let start, end: Double
  /// mean |x_T - x_0|, in normalised pixels.
  package let moved: Double
  /// Of the loss that the step goes down, from 0 to 1; nil where that is 0.
  package let distillationShare: Double?
  /// The task's weight in the last of the steps.
  package let alpha: Double

  /// Of numbers by name, a set a step; nil where none of them refined anything.
  package init?(_ steps: [[String: Double]]) {
    let refined = steps.filter { $0["loss_at_x0"] != nil && $0["loss_at_xT"] != nil && $0["perturbation"] != nil }
    func mean(_ name: String) -> Double? { Statistics.mean(refined.compactMap { $0[name] }) }
    guard let start = mean("loss_at_x0"), let end = mean("loss_at_xT"), let moved = mean("perturbation") else {
      return nil
    }
    self.start = start
    self.end = end
    self.moved = moved
    alpha = refined.last?["alpha"] ?? 1
    distillationShare = Statistics.mean(refined.compactMap(Self.distillationShare))
  }

  /// Of the loss of one step, from 0 to 1; nil of a step without distillation.
  package static func distillationShare(_ step: [String: Double]) -> Double? {
    guard let alpha = step["alpha"], let own = step["distillation_loss"], let total = step["total_loss"], total > 0
    else { return nil }
    return (1 - alpha) * own / total
  }

  /// `refinement 0.278 > 0.232, moved 0.0095, distillation 1.2 % of the loss, alpha 0.50`
  package var text: String {
    let share = distillationShare.map { ", distillation \(decimal($0 * 100, places: 1)) % of the loss" } ?? ""
    return "refinement \(decimal(start, places: 3)) > \(decimal(end, places: 3)), moved \(Self.short(moved))\(share), "
      + "alpha \(decimal(alpha, places: 2))"
  }

  /// Two digits that count: "0.0095".
  package static func short(_ value: Double) -> String {
    guard value > 0, value < 1 else { return decimal(value, places: 2) }
    return decimal(value, places: min(12, Int(-log10(value).rounded(.down)) + 1))
  }
}
