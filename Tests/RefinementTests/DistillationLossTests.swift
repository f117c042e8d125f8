import Kernels
import Refinement
import TestSupport
import Testing

@Suite struct `Distillation losses` {
  static let shape = Shape(batch: 3, height: 2, width: 3, channels: 4)
  static let weights = [9, 0.7, 9]

  private func features(seed: Int, scale: Double = 1) -> [Float] {
    var stream = RandomStream(seed: seed, purpose: .test)
    return (0..<Self.shape.count).map { _ in Float(scale * stream.normal()) }
  }

  private func ours(
    _ normalization: FeatureNormalization, _ student: [Float], _ target: [Float], scale: Double = 1
  )
    -> (loss: Double, gradient: [Float])
  {
    var gradient = [Float](repeating: .nan, count: student.count)
    let loss = DistillationLoss(weights: Self.weights, normalization: normalization)(
      tap: 1, student: student, target: target, shape: Self.shape, scale: scale, gradient: &gradient)
    return (loss, gradient)
  }

  /// mean((F - F')^2), with l2 of sqrt(CHW) F / ||F|| per sample, in double precision.
  private func reference(_ normalization: FeatureNormalization, _ student: [Double], _ target: [Double])
    -> Double
  {
    let size = Self.shape.sampleCount
    func direction(_ x: ArraySlice<Double>) -> [Double] {
      let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return x.map { Double(size).squareRoot() * $0 / norm }
    }
    var sum = 0.0
    for start in stride(from: 0, to: student.count, by: size) {
      let (f, g) = (student[start..<start + size], target[start..<start + size])
      let pairs = normalization == .none ? zip(Array(f), Array(g)) : zip(direction(f), direction(g))
      sum += pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    return sum / Double(student.count)
  }

  @Test(arguments: FeatureNormalization.allCases)
  func `value and gradient are those of a double-precision reference`(normalization: FeatureNormalization) {
    let (student, target) = (features(seed: 1), features(seed: 2, scale: 1.5))
    let scale = 0.4
    let (loss, gradient) = ours(normalization, student, target, scale: scale)
    let (f, g) = (student.map(Double.init), target.map(Double.init))
    // The value is not weighted, the gradient is. Float32 leaves 1e-6 on values near 1.
    #expect(abs(loss - reference(normalization, f, g)) < 1e-5 * loss)
    let step = 1e-5
    let differences = f.indices.map { index in
      var (above, below) = (f, f)
      above[index] += step
      below[index] -= step
      let slope = (reference(normalization, above, g) - reference(normalization, below, g)) / (2 * step)
      return Float(scale * Self.weights[1] * slope)
    }
    #expect(differences.contains { abs($0) > 1e-3 }, "the objective is not degenerate")
    // Central differences in double precision are good to 1e-9 here; the rest is float32.
    #expect(Distance.maximum(gradient, differences) < 1e-5)
  }

  @Test(arguments: FeatureNormalization.allCases)
  func `equal features cost nothing`(normalization: FeatureNormalization) {
    let (loss, gradient) = ours(normalization, features(seed: 1), features(seed: 1))
    #expect(loss < 1e-12)
    #expect(gradient.allSatisfy { abs($0) < 1e-7 })
  }

  @Test func `with l2 shrinking or growing features changes nothing`() {
    let (student, target) = (features(seed: 1), features(seed: 2))
    let plain = ours(.l2, student, target)
    for (a, b) in [(0.01, 1), (1, 30), (20, 0.1)] as [(Float, Float)] {
      let (loss, gradient) = ours(.l2, student.map { a * $0 }, target.map { b * $0 })
      #expect(abs(loss - plain.loss) < 1e-5 * plain.loss)
      #expect(Distance.maximum(gradient.map { a * $0 }, plain.gradient) < 1e-5)
    }
    // Without it shrinking both is the way out that l2 closes.
    let shrunk = ours(.none, student.map { 0.1 * $0 }, target.map { 0.1 * $0 }).loss
    #expect(shrunk < 0.02 * ours(.none, student, target).loss)
  }

  @Test func `with l2 no sample's gradient has a part along its own feature`() {
    let student = features(seed: 1)
    let gradient = ours(.l2, student, features(seed: 2)).gradient
    let size = Self.shape.sampleCount
    for start in stride(from: 0, to: student.count, by: size) {
      let (f, g) = (Array(student[start..<start + size]), Array(gradient[start..<start + size]))
      let lengths = Elementwise.dot(f, f, count: size) * Elementwise.dot(g, g, count: size)
      #expect(abs(Elementwise.dot(f, g, count: size)) < 1e-6 * lengths.squareRoot())
    }
  }

  @Test(arguments: FeatureNormalization.allCases)
  func `features that are all zero give finite values`(normalization: FeatureNormalization) {
    let zero = [Float](repeating: 0, count: Self.shape.count)
    let some = features(seed: 2)
    for (student, target) in [(zero, some), (some, zero)] {
      let (loss, gradient) = ours(normalization, student, target)
      #expect(loss.isFinite && loss > 0)
      #expect(gradient.allSatisfy { $0.isFinite })
    }
    let nothing = ours(normalization, zero, zero)
    #expect(nothing.loss == 0)
    #expect(nothing.gradient.allSatisfy { $0 == 0 })
  }
}
