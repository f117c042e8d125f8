import Foundation
import Reporting
import Runtime

/// What the tables say, in sentences: whether variants differ from the baseline, and what would show it.
extension Comparison {
  /// A sentence or two for each variant at each point, of the first metric.
  package var verdict: [String] {
    let metric = metrics[0]
    guard let baseline else {
      guard variants.count > 1 else {
        return ["All runs here are one variant: there is nothing to compare them with. " + Self.advice]
      }
      return ["None of these variants is the baseline: name one with --baseline to see how the others differ from it."]
    }
    guard variants.count > 1 else {
      return ["All runs here are of \(baseline): there is nothing to compare them with. " + Self.advice]
    }
    return rows.filter { $0.variant != baseline }.map { row in
      let place = row.point.isEmpty ? "" : "At \(row.point): "
      guard let difference = row.differences[metric] else {
        return "\(place)\(row.variant) and \(baseline) have no seed in common that both measured \(name) with."
      }
      return place + sentence(row.variant, baseline, difference) + others(row)
    }
  }

  /// What else differs: losses and errors of the table, of which everybody knows which way is better.
  private func others(_ row: Row) -> String {
    let found = metrics.dropFirst().compactMap { metric -> String? in
      guard ["loss", "ece"].contains(where: metric.hasSuffix), let difference = row.differences[metric],
        let half = difference.halfWidth, abs(difference.mean) > half
      else { return nil }
      let (mean, name) = (difference.mean, Self.title(of: metric).replacing(" %", with: ""))
      return "\(mean < 0 ? "a lower" : "a higher") \(name), by \(signed(mean, metric)) "
        + "[\(signed(mean - half, metric)), \(signed(mean + half, metric))]"
    }
    return found.isEmpty ? "" : " \(row.variant) has \(found.joined(separator: ", and "))."
  }

  private static let advice = "The same without the method is --set icp.rule=none."

  private var name: String { metrics[0].replacing("_", with: " ") }

  private func sentence(_ variant: String, _ baseline: String, _ difference: Difference) -> String {
    let mean = difference.mean
    guard let half = difference.halfWidth else {
      let how =
        mean == 0
        ? "\(variant) has the same \(name) as \(baseline)"
        : "\(variant) has a \(name) of \(amount(mean)) \(mean < 0 ? "less" : "more") than \(baseline)"
      return
        "\(how), with one seed each. That shows nothing yet: another seed may turn it round. Three to five seeds of each "
        + "would tell more."
    }
    let interval =
      "\(signed(mean)) [\(signed(mean - half)), \(signed(mean + half))] over \(counted(difference.count, "seed"))"
    guard abs(mean) <= half else {
      let isBetter = (mean > 0) != SettingSearch.isLowerBetter(metrics[0])
      return "\(variant) is \(isBetter ? "better" : "worse") than \(baseline): its \(name) differs by \(interval)."
    }
    let seeds =
      Self.seedsToShow(difference).map { "about \(counted($0, "seed"))" } ?? "more than \(Self.mostSeeds) seeds"
    return "No difference shown between \(variant) and \(baseline): their \(name) differs by \(interval). "
      + "A difference of \(amount(mean)) would take \(seeds) to show."
  }

  private static let mostSeeds = 1000

  /// Nil where these are more than `mostSeeds`.
  private static func seedsToShow(_ difference: Difference) -> Int? {
    guard let half = difference.halfWidth, difference.count > 1 else { return nil }
    let t = StudentT.quantile(0.975, degreesOfFreedom: difference.count - 1)
    return Statistics.countToShow(
      mean: difference.mean, standardDeviation: half * Double(difference.count).squareRoot() / t, most: mostSeeds)
  }

  private func signed(_ value: Double) -> String { signed(value, metrics[0]) }

  private func amount(_ value: Double) -> String {
    Self.isFraction(metrics[0]) ? "\(decimal(abs(value) * 100, places: 2)) points" : decimal(abs(value), places: 4)
  }
}
