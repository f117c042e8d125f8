import Foundation
import Kernels

/// AdamW and SGD as PyTorch's, over the flat block of parameters. Nothing but this changes a parameter.
package final class Optimizer {
  package enum Method: Equatable, Sendable {
    /// Weight decay decoupled from the gradient (Loshchilov and Hutter 2019).
    case adamW(beta1: Double, beta2: Double, epsilon: Double)
    /// Weight decay coupled: added to the gradient. Momentum 0 is plain gradient descent, without state.
    case sgd(momentum: Double, nesterov: Bool)
  }

  /// A range of the block that it changes.
  package struct Piece: Equatable, Sendable {
    package var range: Range<Int>
    package var decay: Double
    /// Times the learning rate.
    package var factor: Double

    package init(_ range: Range<Int>, decay: Double, factor: Double = 1) {
      self.range = range
      self.decay = decay
      self.factor = factor
    }
  }

  private let method: Method
  /// In order.
  private let pieces: [Piece]
  private let buffers: [Tensor]
  /// Steps taken, the t of AdamW's bias correction. Belongs to the moments: saved and restored with them.
  package var steps = 0

  /// For a block of `count` parameters, of which `pieces` are changed: ascending, none over another.
  package init(_ method: Method, pieces: [Piece], count: Int) {
    self.method = method
    var merged: [Piece] = []
    for piece in pieces {
      let end = merged.last?.range.upperBound ?? 0
      precondition(end <= piece.range.lowerBound && piece.range.upperBound <= count, "pieces \(pieces) of \(count)")
      if let last = merged.last, last == Piece(last.range, decay: piece.decay, factor: piece.factor),
        end == piece.range.lowerBound
      {
        merged[merged.count - 1].range = last.range.lowerBound..<piece.range.upperBound
      } else {
        merged.append(piece)
      }
    }
    self.pieces = merged
    buffers = Self.slotNames(method).map { _ in Tensor(count: count) }
  }

  /// All of the block is changed; `decays` lists the ranges that weight decay touches, none twice.
  package convenience init(_ method: Method, weightDecay: Double, decays: [Range<Int>], count: Int) {
    var pieces: [Piece] = []
    var position = 0
    for range in decays.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      precondition(position <= range.lowerBound && range.upperBound <= count, "decays \(decays) of \(count)")
      pieces += [Piece(position..<range.lowerBound, decay: 0), Piece(range, decay: weightDecay)]
      position = range.upperBound
    }
    pieces.append(Piece(position..<count, decay: 0))
    self.init(method, pieces: pieces.filter { !$0.range.isEmpty }, count: count)
  }

  /// The optimiser's state, laid out as the parameters, under PyTorch's names; zero before the first step.
  package var slots: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    zip(Self.slotNames(method), buffers).map { ($0, $1.values) }
  }

  /// How many blocks like the parameters its state is.
  package static func slotCount(_ method: Method) -> Int { slotNames(method).count }

  /// Bytes of its state, for a block of `count` parameters.
  package static func bytes(_ method: Method, count: Int) -> Double {
    4 * Double(count) * Double(slotCount(method))
  }

  private static func slotNames(_ method: Method) -> [String] {
    switch method {
    case .adamW: ["exp_avg", "exp_avg_sq"]
    case .sgd(momentum: 0, _): []
    case .sgd: ["momentum_buffer"]
    }
  }

  /// One step down `gradients`, which are first clipped to a global norm of `limit`, where there is one. Returns the
  /// norm from before. Nothing is allocated.
  package func step(
    _ parameters: Tensor, along gradients: Tensor, clippedTo limit: Double?, learningRate: Double
  ) -> Double {
    let norm = Self.clip(gradients, to: limit)
    step(parameters: parameters.pointer, gradients: gradients.pointer, learningRate: learningRate)
    return norm
  }

  /// One step down `gradients`, laid out as `parameters`. Nothing is allocated.
  package func step(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double
  ) {
    steps += 1
    for piece in pieces {
      let (range, decay, learningRate) = (piece.range, piece.decay, learningRate * piece.factor)
      let (p, g) = (parameters + range.lowerBound, gradients + range.lowerBound)
      switch method {
      case .adamW(let beta1, let beta2, let epsilon):
        let (m, v) = (buffers[0].pointer + range.lowerBound, buffers[1].pointer + range.lowerBound)
        AdamW(rate: learningRate, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon, step: steps)
          .apply(p, g, m, v, count: range.count)
      case .sgd(momentum: 0, _):
        let (rate, decay) = (Float(learningRate), Float(decay))
        for i in 0..<range.count { p[i] -= rate * (g[i] + decay * p[i]) }
      case .sgd(let momentum, let nesterov):
        Momentum(rate: learningRate, decay: decay, momentum: momentum, nesterov: nesterov)
          .apply(p, g, buffers[0].pointer + range.lowerBound, count: range.count)
      }
    }
  }
}

/// p -= lr decay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
private struct AdamW {
  let keep, size, root, epsilon, b1, a1, b2, a2: Float

  init(rate: Double, decay: Double, beta1: Double, beta2: Double, epsilon: Double, step: Int) {
    keep = Float(1 - rate * decay)
    size = Float(rate / (1 - pow(beta1, Double(step))))
    root = Float((1 - pow(beta2, Double(step))).squareRoot())
    self.epsilon = Float(epsilon)
    b1 = Float(beta1)
    a1 = Float(1 - beta1)
    b2 = Float(beta2)
    a2 = Float(1 - beta2)
  }

  func apply(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count {
      m[i] = b1 * m[i] + a1 * g[i]
      v[i] = b2 * v[i] + a2 * g[i] * g[i]
      p[i] = keep * p[i] - size * m[i] / (v[i].squareRoot() / root + epsilon)
    }
  }
}

/// g += decay p; b = momentum b + g; p -= lr b, or with Nesterov p -= lr (g + momentum b). PyTorch sets b to
/// the first gradient; from a buffer of zeros that is the same.
private struct Momentum {
  let rate, decay, momentum, ownShare, bufferShare: Float

  init(rate: Double, decay: Double, momentum: Double, nesterov: Bool) {
    self.rate = Float(rate)
    self.decay = Float(decay)
    self.momentum = Float(momentum)
    (ownShare, bufferShare) = nesterov ? (1, Float(momentum)) : (0, 1)
  }

  func apply(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ b: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count {
      let gradient = g[i] + decay * p[i]
      b[i] = momentum * b[i] + gradient
      p[i] -= rate * (ownShare * gradient + bufferShare * b[i])
    }
  }
}
