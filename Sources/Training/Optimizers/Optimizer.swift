import Foundation
import Kernels
import Networks

/// PyTorch's AdamW and SGD over the flat block of parameters. Nothing but this changes a parameter.
package final class Optimizer {
  /// State of the optimiser laid out as the parameters, under PyTorch's name.
  package struct Slot {
    package let name: String
    package let values: UnsafeMutableBufferPointer<Float>
  }

  package enum Method: Sendable {
    /// Decay decoupled from the gradient (Loshchilov and Hutter 2019).
    case adamW(beta1: Double, beta2: Double, epsilon: Double)
    /// Decay coupled: added to the gradient.
    case sgd(momentum: Double, nesterov: Bool)
  }

  private let method: Method
  /// Weight decay of each parameter: the option's, or zero outside its scope.
  private let decays: [(range: Range<Int>, decay: Double)]
  private let first: Tensor
  private let second: Tensor
  /// Steps taken: the t of AdamW's bias correction.
  package var steps = 0

  /// `decays`: the ranges of the block that weight decay touches, ascending.
  package init(_ method: Method, weightDecay: Double, decays ranges: [Range<Int>], count: Int) {
    self.method = method
    var pieces: [(Range<Int>, Double)] = []
    var position = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > position { pieces.append((position..<range.lowerBound, 0)) }
      pieces.append((range, weightDecay))
      position = range.upperBound
    }
    if position < count { pieces.append((position..<count, 0)) }
    decays = pieces
    switch method {
    case .adamW: (first, second) = (Tensor(count: count), Tensor(count: count))
    case .sgd(let momentum, _): (first, second) = (Tensor(count: momentum > 0 ? count : 0), Tensor(count: 0))
    }
  }

  package var slots: [Slot] {
    switch method {
    case .adamW: [Slot(name: "exp_avg", values: first.values), Slot(name: "exp_avg_sq", values: second.values)]
    case .sgd(momentum: 0, _): []
    case .sgd: [Slot(name: "momentum_buffer", values: first.values)]
    }
  }

  /// One step down `gradients`, both blocks laid out alike.
  package func step(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double
  ) {
    steps += 1
    for (range, decay) in decays {
      switch method {
      case .adamW(let beta1, let beta2, let epsilon):
        adamW(range, parameters, gradients, learningRate, decay: decay, beta1, beta2, epsilon)
      case .sgd(let momentum, let nesterov):
        sgd(range, parameters, gradients, learningRate, decay: decay, momentum, nesterov)
      }
    }
  }

  /// p -= lr decay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
  /// p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
  private func adamW(
    _ range: Range<Int>, _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ learningRate: Double,
    decay: Double, _ beta1: Double, _ beta2: Double, _ epsilon: Double
  ) {
    let size = Float(learningRate / (1 - pow(beta1, Double(steps))))
    let root = Float((1 - pow(beta2, Double(steps))).squareRoot())
    let (b1, a1, b2, a2) = (Float(beta1), Float(1 - beta1), Float(beta2), Float(1 - beta2))
    let (keep, eps) = (Float(1 - learningRate * decay), Float(epsilon))
    let (m, v) = (first.pointer, second.pointer)
    for i in range {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      p[i] = keep * p[i] - size * m[i] / (v[i].squareRoot() / root + eps)
    }
  }

  /// g += decay p; b = momentum b + g (b = g at first); p -= lr b, with Nesterov lr (g + momentum b)
  private func sgd(
    _ range: Range<Int>, _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ learningRate: Double,
    decay: Double, _ momentum: Double, _ nesterov: Bool
  ) {
    let (rate, weight, mu) = (Float(learningRate), Float(decay), Float(momentum))
    guard momentum > 0 else {
      for i in range { p[i] -= rate * (g[i] + weight * p[i]) }
      return
    }
    // The buffer is zero before the first step, so it becomes the gradient then.
    let b = first.pointer
    for i in range {
      let gradient = g[i] + weight * p[i]
      b[i] = mu * b[i] + gradient
      p[i] -= rate * (nesterov ? gradient + mu * b[i] : b[i])
    }
  }

  /// The global norm of `gradients`, which are then scaled by min(1, limit / (norm + 1e-6)), as PyTorch's clip_grad_norm_.
  package static func clip(_ gradients: Tensor, to limit: Double?) -> Double {
    let norm = Elementwise.dot(gradients.pointer, gradients.pointer, count: gradients.count).squareRoot()
    guard let limit, limit < norm + 1e-6 else { return norm }
    let factor = Float(limit / (norm + 1e-6))
    for index in 0..<gradients.count { gradients.pointer[index] *= factor }
    return norm
  }
}

extension Optimizer {
  package convenience init(_ options: RunConfiguration.OptimizerSection, layout: ParameterLayout) {
    let method: Method
    switch options.kind {
    case .adamw: method = .adamW(beta1: options.betas[0], beta2: options.betas[1], epsilon: options.epsilon)
    case .sgd: method = .sgd(momentum: options.momentum, nesterov: options.nesterov)
    }
    self.init(
      method, weightDecay: options.weightDecay,
      decays: layout.decayRanges(matricesOnly: options.decay == .matrices), count: layout.parameterCount)
  }
}
