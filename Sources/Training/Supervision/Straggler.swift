/// Whether this rank is slower than the others, by the computing time that every step's reduction carries.
struct Straggler {
  private var (own, others) = (0.0, 0.0)
  private var steps = 0
  private static let window = 20

  /// Returns how many times slower this rank is with a sample, where that is twice or more over the last 20 steps.
  mutating func record(_ outcome: StepOutcome, ranks: Int) -> Double? {
    guard ranks > 1 else { return nil }
    own += outcome.ownSecondsPerSample
    others += (outcome.status.secondsPerSample - outcome.ownSecondsPerSample) / Double(ranks - 1)
    steps += 1
    guard steps == Self.window else { return nil }
    defer { self = Straggler() }
    let ratio = own / max(others, 1e-9)
    return ratio >= 2 ? ratio : nil
  }
}
