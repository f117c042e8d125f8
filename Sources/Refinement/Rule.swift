import Kernels

/// The update of the input (METHOD, table of rules): x_t = rule(x_{t-1}, g), state at zero before t = 1. All arithmetic is
/// float32, the bias corrections double.
package struct Rule: Sendable {
  package let kind: RuleKind
  package let stepSize: Float

  /// Adam's (Kingma and Ba 2015) and AdEMAMix's (Pagliardini et al. 2024) coefficients, as the paper takes them.
  private static let beta1 = 0.9
  private static let beta2 = 0.999
  private static let beta3 = 0.9999
  private static let slowWeight: Float = 5
  private static let epsilon: Float = 1e-8

  package init(kind: RuleKind, stepSize: Float) {
    (self.kind, self.stepSize) = (kind, stepSize)
  }

  /// Arrays of state beside x: first and second moment, and ademamix's slow moment.
  package var stateCount: Int {
    switch kind {
    case .sgd, .ifgsm, .none: 0
    case .adam, .random: 2
    case .ademamix: 3
    }
  }

  /// Moves x by iteration t = 1, 2, ... along gradient g. Array i of the state starts at `state + i * stride`.
  package func step(
    _ t: Int, x: UnsafeMutablePointer<Float>, gradient g: UnsafePointer<Float>, state: UnsafeMutablePointer<Float>,
    stride: Int, count: Int
  ) {
    let s = stepSize
    switch kind {
    case .none: break
    case .sgd:
      for i in 0..<count { x[i] -= s * g[i] }
    case .ifgsm:
      // Up the loss, not down: the adversarial contrast. The sign of zero is zero.
      for i in 0..<count { x[i] += s * (g[i] > 0 ? 1 : g[i] < 0 ? -1 : 0) }
    case .adam, .random:
      adam(t, x, g, state, stride: stride, count: count)
    case .ademamix:
      adEMAMix(t, x, g, state, stride: stride, count: count)
    }
  }

  /// 1 / (1 - beta^t), computed in double: 1 - 0.999^t in float32 loses digits.
  private func correction(_ beta: Double, _ t: Int) -> Float {
    var power = 1.0
    for _ in 0..<t { power *= beta }
    return Float(1 / (1 - power))
  }

  /// m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 g^2; x -= s m^ / (sqrt(v^) + eps)
  private func adam(
    _ t: Int, _ x: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ state: UnsafeMutablePointer<Float>,
    stride: Int, count: Int
  ) {
    let (m, v) = (state, state + stride)
    let (b1, b2) = (Float(Self.beta1), Float(Self.beta2))
    let (a1, a2) = (Float(1 - Self.beta1), Float(1 - Self.beta2))
    let (c1, c2) = (correction(Self.beta1, t), correction(Self.beta2, t))
    for i in 0..<count {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      x[i] -= stepSize * (m[i] * c1) / ((v[i] * c2).squareRoot() + Self.epsilon)
    }
  }

  /// As adam, with a slow moment n = 0.9999 n + 0.0001 g, not corrected: x -= s (m^ + 5 n) / (sqrt(v^) + eps)
  private func adEMAMix(
    _ t: Int, _ x: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ state: UnsafeMutablePointer<Float>,
    stride: Int, count: Int
  ) {
    let (m, v, n) = (state, state + stride, state + 2 * stride)
    let (b1, b2, b3) = (Float(Self.beta1), Float(Self.beta2), Float(Self.beta3))
    let (a1, a2, a3) = (Float(1 - Self.beta1), Float(1 - Self.beta2), Float(1 - Self.beta3))
    let (c1, c2) = (correction(Self.beta1, t), correction(Self.beta2, t))
    for i in 0..<count {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      n[i] = b3 * n[i] + a3 * g[i]
      x[i] -= stepSize * (m[i] * c1 + Self.slowWeight * n[i]) / ((v[i] * c2).squareRoot() + Self.epsilon)
    }
  }

  /// The contrast `random`, of one sample: x becomes x0 + ||x - x0|| z / ||z||, x adam's iterate, z standard normal from the
  /// sample's address. `direction` is scratch for z.
  package static func randomize(
    _ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, count: Int,
    direction z: UnsafeMutablePointer<Float>, address: RandomStream
  ) {
    var stream = address
    for i in 0..<count { z[i] = Float(stream.normal()) }
    let distance = Elementwise.squaredDistance(x, x0, count: count).squareRoot()
    let norm = Elementwise.dot(z, z, count: count).squareRoot()
    Elementwise.combine(1, x0, Float(distance / max(norm, 1e-30)), z, count: count, into: x)
  }
}

/// Where a refined input may lie.
package struct InputBounds: Sendable {
  /// Half the side of an L-infinity ball around x_0, in normalised units.
  package let epsilon: Float?
  /// What pixels can show, per channel, in normalised units.
  package let pixels: [ClosedRange<Float>]?

  package init(epsilon: Float? = nil, pixels: [ClosedRange<Float>]? = nil) {
    (self.epsilon, self.pixels) = (epsilon, pixels)
  }

  /// Puts every element of x (channels last) back into the ball, then into its channel's range.
  package func project(_ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, count: Int) {
    if let epsilon {
      for i in 0..<count { x[i] = min(max(x[i], x0[i] - epsilon), x0[i] + epsilon) }
    }
    if let pixels {
      for (channel, range) in pixels.enumerated() {
        for i in stride(from: channel, to: count, by: pixels.count) {
          x[i] = min(max(x[i], range.lowerBound), range.upperBound)
        }
      }
    }
  }
}
