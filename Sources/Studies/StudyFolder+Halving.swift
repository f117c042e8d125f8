import Foundation
import Reporting

/// Whose turn it is in a search by halving, from what is on the disk.
extension StudyFolder {
  enum Turn {
    case open
    /// It is not known yet which trials go on.
    case waiting
    /// Its trial does not go on.
    case dropped
  }

  mutating func turn(_ index: Int) -> Turn {
    guard let halving = sweep.search?.halving, let own = runs[index].trial else { return .open }
    for rung in 0...own.rung {
      guard let trials = self.trials(of: own.variant, at: runs[index].point, rung: rung, halving) else {
        return .waiting
      }
      guard trials.contains(own.trial) else { return .dropped }
    }
    return .open
  }

  /// The trials of `variant` that a rung runs, in their order; nil as long as the rung before has runs to come.
  private mutating func trials(
    of variant: String, at point: Sweep.Point, rung: Int, _ halving: Halving
  ) -> [String]? {
    guard rung > 0 else { return sweep.search?.spaces.first { $0.variant == variant }?.names.sorted() }
    let key = "\(point.name)/\(variant)/\(rung)"
    if let known = remaining[key] { return known }
    guard let before = self.trials(of: variant, at: point, rung: rung - 1, halving) else { return nil }
    var scores: [(trial: String, mean: Double)] = []
    for trial in before {
      guard let values = self.values(of: trial, at: point, halving.rungs[rung - 1]) else { return nil }
      // A trial with a run that failed does not go on.
      if let values, let mean = Statistics.mean(values) { scores.append((trial, mean)) }
    }
    let isLower = SettingSearch.isLowerBetter(sweep.search!.metric)
    // Of equals the first.
    let best = scores.indices.sorted {
      let (a, b) = (scores[$0].mean, scores[$1].mean)
      return a == b ? $0 < $1 : isLower ? a < b : a > b
    }.prefix(halving.remaining(of: before.count))
    let chosen = best.map { scores[$0].trial }.sorted()
    remaining[key] = chosen
    return chosen
  }

  /// What a rung's runs of a trial came to: nil as long as one is to come, an inner nil where one failed.
  private func values(of trial: String, at point: Sweep.Point, _ rung: Halving.Rung) -> [Double]?? {
    var values: [Double] = []
    var hasFailed = false
    for index in runs.indices {
      guard let own = runs[index].trial, own.trial == trial, own.epochs == rung.epochs,
        runs[index].point.name == point.name, sweep.seeds.prefix(rung.seeds).contains(runs[index].seed)
      else { continue }
      guard hasNote(index, runs[index].configuration) else { return nil }
      let value = StudyRun(note: directory(index))?.last(sweep.search!.metric)
      if let value, value.isFinite { values.append(value) } else { hasFailed = true }
    }
    return .some(hasFailed ? nil : values)
  }

  /// Runs that are not dropped.
  mutating func wanted() -> [Int] {
    runs.indices.filter { index in
      if case .dropped = turn(index) { false } else { true }
    }
  }
}
