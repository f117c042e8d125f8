/// Whether this rank is slower than the others, by the computing time that every step's reduction carries.
package struct Straggler {
  private var own = 0.0
  private var others = 0.0
  private var steps = 0
  private var wasSlow = false
  private var isKnown = false
  private static let window = 20

  package init() {}

  /// Returns how many times slower this rank was with a sample in the last 20 steps, where that is twice or more, and
  /// was in the 20 before them: once may be the start, or somebody else's minute. Said once for as long as it stays so.
  ///
  /// `own`: this rank's seconds for a sample of a step; `all`: the sum over all ranks.
  package mutating func record(own: Double, all: Double, ranks: Int) -> Double? {
    guard ranks > 1 else { return nil }
    self.own += own
    others += (all - own) / Double(ranks - 1)
    steps += 1
    guard steps == Self.window else { return nil }
    let ratio = self.own / max(others, 1e-9)
    let isNews = ratio >= 2 && wasSlow && !isKnown
    self.own = 0
    others = 0
    steps = 0
    isKnown = ratio >= 2 && (isKnown || wasSlow)
    wasSlow = ratio >= 2
    return isNews ? ratio : nil
  }
}
