extension Int {
  /// floor(fraction x count). 0.29 x 100 is 28.999999999999996: a product that a rounding error keeps below a whole
  /// number counts as whole.
  package init(fraction: Double, of count: Int) { self = Int((fraction * Double(count) + 1e-9).rounded(.down)) }
}
