/// What the schedule `plateau` remembers of the epochs so far. It is PyTorch's ReduceLROnPlateau with its usual
/// threshold, a ten-thousandth of the best value, and without a cooldown.
package struct Plateau: Codable, Equatable, Sendable {
  /// Nil before the first finite value.
  package private(set) var best: Double?
  /// Epochs since the best, or since the last drop.
  package private(set) var waited = 0
  package private(set) var drops = 0
  /// The last epoch that was judged.
  package private(set) var judged = -1

  package init() {}

  private static let threshold = 1e-4

  /// Takes the value of an epoch, a second time without effect. True where the rate drops, since more than `patience`
  /// epochs in a row were not better.
  package mutating func judge(_ value: Double, higherIsBetter: Bool, epoch: Int, patience: Int) -> Bool {
    guard epoch > judged else { return false }
    judged = epoch
    let isBetter = best.map { best in
      higherIsBetter ? value > best * (1 + Self.threshold) : value < best * (1 - Self.threshold)
    }
    if value.isFinite, isBetter ?? true {
      best = value
      waited = 0
    } else {
      waited += 1
    }
    guard waited > patience else { return false }
    waited = 0
    drops += 1
    return true
  }
}
