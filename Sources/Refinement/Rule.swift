import Foundation
import Kernels

/// The update of the input, x_t = rule(x_{t-1}, g) (METHOD, table of rules): the loss goes down, except for
/// the contrasts.
///
/// Arrays are float32 and so is the arithmetic; only the bias corrections are computed in double precision,
/// because 1 - 0.999^t in float32 is wrong in the fifth digit at t = 1.
package struct Rule: Sendable {
  package let kind: RuleKind
  /// s, in units of the normalised input.
  package let stepSize: Float

  // Adam: Kingma and Ba 2015. AdEMAMix: Pagliardini et al. 2024, with the paper's constants.
  private static let beta1 = 0.9
  private static let beta2 = 0.999
  private static let beta3 = 0.9999
  private static let slowWeight: Float = 5
  private static let epsilon: Float = 1e-8

  package init(kind: RuleKind, stepSize: Float) {
    self.kind = kind
    self.stepSize = stepSize
  }

  /// Arrays of state beside x: first and second moment m, v, and the slow moment n of ademamix.
  package var stateCount: Int {
    switch kind {
    case .sgd, .ifgsm, .none: 0
    case .adam, .random: 2
    case .ademamix: 3
    }
  }

  /// Moves `count` values of x by iteration t = 1, 2, ... of gradient g. State array k starts at `state + k *
  /// stride`, and is zero before t = 1. Nothing is allocated. `random` moves as adam: its directions come
  /// after, by `randomize`.
  package func step(
    _ t: Int, x: UnsafeMutablePointer<Float>, gradient g: UnsafePointer<Float>,
    state: UnsafeMutablePointer<Float>, stride: Int, count: Int
  ) {
    precondition(t >= 1 && (stateCount < 2 || count <= stride), "t \(t), stride \(stride), count \(count)")
    let s = stepSize
    switch kind {
    case .none: break
    case .sgd:
      for i in 0..<count { x[i] -= s * g[i] }
    case .ifgsm:
      for i in 0..<count { x[i] += Self.signed(s, by: g[i]) }
    case .adam, .random:
      adam(t, x, g, m: state, v: state + stride, count)
    case .ademamix:
      adEMAMix(t, x, g, m: state, v: state + stride, n: state + 2 * stride, count)
    }
  }

  /// `size` with the sign of `gradient`. The sign of zero is zero; that of a NaN is a NaN, so that the loss shows it.
  package static func signed(_ size: Float, by gradient: Float) -> Float {
    gradient > 0 ? size : gradient < 0 ? -size : gradient == 0 ? 0 : gradient
  }

  /// m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 g^2; x -= s m^ / (sqrt(v^) + eps), m^ and v^ divided by 1 -
  /// beta^t.
  private func adam(
    _ t: Int, _ x: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>,
    v: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let (b1, b2) = (Float(Self.beta1), Float(Self.beta2))
    let (a1, a2) = (Float(1 - Self.beta1), Float(1 - Self.beta2))
    let size = Float(Double(stepSize) / (1 - pow(Self.beta1, Double(t))))
    let correction = Float(1 / (1 - pow(Self.beta2, Double(t))))
    for i in 0..<count {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      x[i] -= size * m[i] / ((v[i] * correction).squareRoot() + Self.epsilon)
    }
  }

  /// As adam, with n = 0.9999 n + 0.0001 g, not corrected: x -= s (m^ + 5 n) / (sqrt(v^) + eps).
  private func adEMAMix(
    _ t: Int, _ x: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>,
    v: UnsafeMutablePointer<Float>, n: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let (b1, b2, b3) = (Float(Self.beta1), Float(Self.beta2), Float(Self.beta3))
    let (a1, a2, a3) = (Float(1 - Self.beta1), Float(1 - Self.beta2), Float(1 - Self.beta3))
    let size = Float(Double(stepSize) / (1 - pow(Self.beta1, Double(t))))
    let correction = Float(1 / (1 - pow(Self.beta2, Double(t))))
    let slow = stepSize * Self.slowWeight
    for i in 0..<count {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      n[i] = b3 * n[i] + a3 * g[i]
      x[i] -= (size * m[i] + slow * n[i]) / ((v[i] * correction).squareRoot() + Self.epsilon)
    }
  }

  /// The contrast `random`, of one sample of `count` values: x_t of adam becomes x_0 + ||x_t - x_0|| z /
  /// ||z||, z standard normal from the sample's address, the same at every t. `direction` receives z.
  ///
  /// This reads METHOD's "run adam; then per sample" so: adam's trajectory runs to x_T undisturbed, its
  /// gradients taken at its own iterates, and x_T is replaced once at the end. Who wants to see x_t applies
  /// this to a copy.
  package static func randomize(
    _ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, count: Int,
    direction z: UnsafeMutablePointer<Float>, address: RandomStream
  ) {
    var stream = address
    for i in 0..<count { z[i] = Float(stream.normal()) }
    let distance = Elementwise.squaredDistance(x, x0, count: count).squareRoot()
    let length = Elementwise.dot(z, z, count: count).squareRoot()
    Elementwise.combine(1, x0, length > 0 ? Float(distance / length) : 0, z, count: count, into: x)
  }
}
