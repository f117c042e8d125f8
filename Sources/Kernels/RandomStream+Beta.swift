import Foundation

extension RandomStream {
  /// Beta(shape, shape), the symmetric one, in 0...1; `shape` > 0, however small.
  ///
  /// X / (X + Y) of two gamma variables, by their logarithms: with a shape of 0.01 most of them are below what a Double
  /// holds.
  public mutating func beta(_ shape: Double) -> Double {
    // Below, the logarithms themselves overflow, and every draw is 0 or 1 long before.
    let shape = max(shape, 1e-300)
    let (x, y) = (logarithmOfGamma(shape), logarithmOfGamma(shape))
    return 1 / (1 + exp(y - x))
  }

  /// log of a Gamma(shape, 1) variable (Marsaglia and Tsang 2000); below a shape of 1 by their boost,
  /// Gamma(a) = Gamma(a + 1) U^(1 / a).
  package mutating func logarithmOfGamma(_ shape: Double) -> Double {
    precondition(shape > 0, "a gamma variable of shape \(shape)")
    guard shape >= 1 else {
      let larger = logarithmOfGamma(shape + 1)
      return larger + log(1 - uniform()) / shape
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let z = normal()
      let root = 1 + c * z
      guard root > 0 else { continue }
      let v = root * root * root
      if log(1 - uniform()) < z * z / 2 + d - d * v + d * log(v) { return log(d * v) }
    }
  }
}
