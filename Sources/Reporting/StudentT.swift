import Foundation

/// Student's distribution, by the incomplete beta function.
package enum StudentT {
  /// The t with P(T <= t) = `probability`.
  /// - Precondition: 0 < probability < 1, degreesOfFreedom >= 1.
  package static func quantile(_ probability: Double, degreesOfFreedom: Int) -> Double {
    precondition(probability > 0 && probability < 1 && degreesOfFreedom >= 1, "no such quantile")
    guard probability != 0.5 else { return 0 }
    guard probability > 0.5 else { return -quantile(1 - probability, degreesOfFreedom: degreesOfFreedom) }
    var (low, high) = (0.0, 1.0)
    while cumulative(high, degreesOfFreedom: degreesOfFreedom) < probability { high *= 2 }
    // Halving to the last bit that a Double has: some 60 turns, and nothing to go wrong.
    while true {
      let middle = (low + high) / 2
      guard middle > low, middle < high else { return high }
      if cumulative(middle, degreesOfFreedom: degreesOfFreedom) < probability { low = middle } else { high = middle }
    }
  }

  /// P(T <= t) = 1 - I_x(v/2, 1/2) / 2 with x = v / (v + t^2), for t >= 0.
  static func cumulative(_ t: Double, degreesOfFreedom: Int) -> Double {
    let v = Double(degreesOfFreedom)
    let tail = incompleteBeta(v / (v + t * t), v / 2, 0.5) / 2
    return t >= 0 ? 1 - tail : tail
  }

  /// I_x(a, b), regularised. By I_x(a, b) = 1 - I_(1-x)(b, a) where the fraction converges slowly.
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    return x <= (a + 1) / (a + b + 2) ? betaFraction(x, a, b) : 1 - betaFraction(1 - x, b, a)
  }

  /// The same by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated by Lentz's method.
  private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log(1 - x)) / a
    let tiny = 1e-300
    var (c, d) = (1.0, 1 / notZero(1 - (a + b) * x / (a + 1), tiny))
    var fraction = d
    for m in 1...500 {
      let (m, twice) = (Double(m), Double(2 * m))
      for term in [
        m * (b - m) * x / ((a + twice - 1) * (a + twice)),
        -(a + m) * (a + b + m) * x / ((a + twice) * (a + twice + 1)),
      ] {
        d = 1 / notZero(1 + term * d, tiny)
        c = notZero(1 + term / c, tiny)
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * fraction
  }

  private static func notZero(_ value: Double, _ tiny: Double) -> Double { abs(value) < tiny ? tiny : value }

  private static func logGamma(_ x: Double) -> Double {
    // Thread-safe, unlike lgamma: the sign that it would leave in a global is known here, since x > 0.
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }
}
