import Kernels

/// L_dist = sum_i w_i mean((F_i - F'_i)^2) over the taps i, F the student's features, F' the refined input's, a
/// constant (METHOD, step 5). Means are over a shard's samples, positions and channels.
package struct DistillationLoss: Sendable {
  package let weights: [Double]
  package let normalization: FeatureNormalization

  /// `weights` as `CyclicSchedule` makes them, one a tap.
  package init(weights: [Double], normalization: FeatureNormalization) {
    self.weights = weights
    self.normalization = normalization
  }

  /// Loss of tap `index`, not weighted, both features of `shape`. Writes `scale` times the gradient of the weighted
  /// loss with respect to the student's feature into `gradient`.
  package func callAsFunction(
    tap index: Int, student: UnsafePointer<Float>, target: UnsafePointer<Float>, shape: Shape, scale: Double,
    gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    let factor = 2 * weights[index] * scale / Double(shape.count)
    switch normalization {
    case .none:
      Elementwise.combine(
        Float(factor), student, Float(-factor), target, count: shape.count, into: gradient)
      return Elementwise.squaredDistance(student, target, count: shape.count) / Double(shape.count)
    case .l2:
      var sum = 0.0
      for start in stride(from: 0, to: shape.count, by: shape.sampleCount) {
        sum += normalized(
          student + start, target + start, count: shape.sampleCount, factor: factor, gradient: gradient + start)
      }
      return sum / Double(shape.count)
    }
  }

  /// The loss of one tap as `normalization` defines it, not weighted and without a gradient: what is recorded beside
  /// the one in use, since a network can lower the plain one by shrinking its features.
  package static func value(
    student: UnsafePointer<Float>, target: UnsafePointer<Float>, shape: Shape, normalization: FeatureNormalization
  ) -> Double {
    guard normalization == .l2 else {
      return Elementwise.squaredDistance(student, target, count: shape.count) / Double(shape.count)
    }
    // ||s F / n - s F' / n'||^2 / s^2 = 2 - 2 F F' / (n n') per sample.
    let size = shape.sampleCount
    let sum = stride(from: 0, to: shape.count, by: size).reduce(0.0) { sum, start in
      let (f, g) = (student + start, target + start)
      return sum + 2 - 2 * Elementwise.dot(f, g, count: size) / (norm(f, size) * norm(g, size))
    }
    return sum / Double(shape.batch)
  }

  /// The floor is PyTorch's in `normalize`: features that are all zero have no direction.
  private static func norm(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    max(Elementwise.dot(x, x, count: count).squareRoot(), 1e-12)
  }

  /// One sample: with s = sqrt(count), n = ||F||, n' = ||F'|| and r = s F / n - s F' / n', the loss is r r and its
  /// gradient 2 s / n (r - F (F r) / n^2), the part of r across F.
  private func normalized(
    _ student: UnsafePointer<Float>, _ target: UnsafePointer<Float>, count: Int, factor: Double,
    gradient r: UnsafeMutablePointer<Float>
  ) -> Double {
    let s = Double(count).squareRoot()
    let n = Self.norm(student, count)
    Elementwise.combine(Float(s / n), student, Float(-s / Self.norm(target, count)), target, count: count, into: r)
    let loss = Elementwise.dot(r, r, count: count)
    let along = Elementwise.dot(student, r, count: count) / (n * n)
    let slope = factor * s / n
    Elementwise.combine(Float(slope), r, Float(-slope * along), student, count: count, into: r)
    return loss
  }
}
