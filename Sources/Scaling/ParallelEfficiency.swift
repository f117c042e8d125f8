/// POP's efficiencies (Performance Optimisation and Productivity, https://pop-coe.eu): their product is the share of
/// the ranks' time that is their own work.
package struct ParallelEfficiency: Sendable {
  /// Mean by largest work of a rank, over all steps: less than 1 where the same ranks have more to do each time.
  package let loadBalance: Double
  /// The largest work of a rank by the time that the steps would take on a network that takes none: less than 1 where
  /// other ranks are late in other steps, or wait for their batch.
  package let serialisation: Double
  /// That time by the time they took: what the network costs.
  package let transfer: Double

  package var product: Double { loadBalance * serialisation * transfer }

  /// Nil of no steps.
  package init?(_ steps: [[StepRecord]]) {
    guard let ranks = steps.first?.count, ranks > 0 else { return nil }
    let work = (0..<ranks).map { rank in steps.reduce(0) { $0 + $1[rank].computing } }
    let most = work.max()!
    let ideal = steps.reduce(0) { sum, step in sum + step.map { $0.computing + $0.data }.max()! }
    let taken = steps.reduce(0) { sum, step in sum + step.reduce(0) { $0 + $1.end - $1.begin } / Double(ranks) }
    guard most > 0, ideal > 0, taken > 0 else { return nil }
    loadBalance = work.reduce(0, +) / Double(ranks) / most
    serialisation = most / ideal
    transfer = ideal / taken
  }
}
