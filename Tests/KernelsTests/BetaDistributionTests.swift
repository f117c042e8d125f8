import Foundation
import Kernels
import Testing

@Suite struct `Beta distribution` {
  /// 40,000 draws: the standard error of the mean is at most 0.0025 and that of the variance at most 0.0013, so four of
  /// each.
  @Test(arguments: [0.05, 0.2, 1, 3.5])
  func `has the mean and the variance of Beta(a, a)`(shape: Double) {
    var stream = RandomStream(seed: 4, purpose: .test)
    let values = (0..<40_000).map { _ in stream.beta(shape) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(values.allSatisfy { (0...1).contains($0) })
    #expect(abs(mean - 0.5) < 0.01)
    #expect(abs(variance - 1 / (4 * (2 * shape + 1))) < 0.0052)
  }

  /// The third standardised moment of Gamma(a) is 2 / sqrt(a): a check that no symmetry helps.
  @Test(arguments: [0.5, 1, 4])
  func `is made of gamma variables, by mean, variance and skewness`(shape: Double) {
    var stream = RandomStream(seed: 5, purpose: .test)
    let values = (0..<200_000).map { _ in exp(stream.logarithmOfGamma(shape)) }
    func moment(_ order: Double, around center: Double) -> Double {
      values.reduce(0) { $0 + pow($1 - center, order) } / Double(values.count)
    }
    let mean = moment(1, around: 0)
    let variance = moment(2, around: mean)
    // Four standard errors are 0.02 of each at most, 0.08 of the third.
    #expect(abs(mean / shape - 1) < 0.02)
    #expect(abs(variance / shape - 1) < 0.04)
    #expect(abs(moment(3, around: mean) / pow(variance, 1.5) / (2 / shape.squareRoot()) - 1) < 0.1)
  }

  @Test func `of any small shape is a number`() {
    var stream = RandomStream(seed: 6, purpose: .test)
    for shape in [5e-324, 1e-300, 1e-12, 1e-3, 1e9] {
      for _ in 0..<100 { #expect((0...1).contains(stream.beta(shape))) }
    }
  }
}
