extension Int {
  /// floor(fraction x count). 0.29 x 100 is 28.999999999999996: what misses a whole number by rounding alone counts as
  /// whole.
  package init(fraction: Double, of count: Int) { self = Int((fraction * Double(count) + 1e-9).rounded(.down)) }
}
