import Foundation
import Reporting
import Testing

@Suite struct StatisticsTests {
  /// From printed tables, which have three decimals.
  @Test(arguments: [
    (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 3, 3.182), (0.975, 4, 2.776), (0.975, 5, 2.571), (0.975, 9, 2.262),
    (0.975, 10, 2.228), (0.975, 29, 2.045), (0.975, 30, 2.042), (0.975, 120, 1.980), (0.95, 1, 6.314), (0.95, 4, 2.132),
    (0.995, 2, 9.925), (0.995, 10, 3.169), (0.9, 1, 3.078), (0.75, 1, 1.0),
  ])
  func `quantiles of t are those of the tables`(probability: Double, degrees: Int, value: Double) {
    #expect(abs(StudentT.quantile(probability, degreesOfFreedom: degrees) - value) <= 0.0005)
    #expect(
      StudentT.quantile(1 - probability, degreesOfFreedom: degrees)
        == -StudentT.quantile(1 - (1 - probability), degreesOfFreedom: degrees))
  }

  @Test func `one and two degrees of freedom have closed forms`() {
    for probability in [0.55, 0.8, 0.975, 0.999] {
      let u = 2 * probability - 1
      // tan(pi u / 2) and u sqrt(2 / (1 - u^2)); the quantile's slope, up to 1e6 here, times a rounding of the
      // probability.
      let one = StudentT.quantile(probability, degreesOfFreedom: 1)
      #expect(abs(one / tangent(.pi * u / 2) - 1) < 1e-11)
      let two = StudentT.quantile(probability, degreesOfFreedom: 2)
      #expect(abs(two / (u * (2 / (1 - u * u)).squareRoot()) - 1) < 1e-11)
    }
  }

  @Test func `with many degrees of freedom t is normal`() {
    #expect(abs(StudentT.quantile(0.975, degreesOfFreedom: 1_000_000) - 1.959964) < 1e-5)
  }

  /// 2, 4, 4, 6, 9: mean 5, squares of deviations 9 + 1 + 1 + 1 + 16 = 28.
  @Test func `how many values would show a mean`() {
    // Of half a deviation: t of 17 degrees is 2.1098, and 2.1098 / sqrt(18) = 0.497; one fewer gives 0.514.
    #expect(Statistics.countToShow(mean: -0.5, standardDeviation: 1, most: 1000) == 18)
    #expect(Statistics.countToShow(mean: 1e-6, standardDeviation: 1, most: 1000) == nil)
    #expect(Statistics.countToShow(mean: 1, standardDeviation: 0, most: 1000) == 2)
  }

  @Test func `a line about the method is of the steps that refined`() throws {
    let steps: [[String: Double]] = [
      ["alpha": 1, "task_loss": 9],
      [
        "alpha": 0.75, "loss_at_x0": 0.3, "loss_at_xT": 0.25, "perturbation": 0.009, "distillation_loss": 0.04,
        "total_loss": 0.5,
      ],
      [
        "alpha": 0.5, "loss_at_x0": 0.256, "loss_at_xT": 0.214, "perturbation": 0.01, "distillation_loss": 0.02,
        "total_loss": 2.5,
      ],
    ]
    // Shares of 0.25 * 0.04 / 0.5 = 2 % and 0.5 * 0.02 / 2.5 = 0.4 %.
    #expect(
      RefinementSummary(steps)?.text
        == "refinement 0.278 > 0.232, moved 0.0095, distillation 1.2 % of the loss, alpha 0.50")
    #expect(RefinementSummary([steps[0]]) == nil)
  }

  @Test func `mean, deviation, median and interval by hand`() throws {
    let values = [6.0, 2, 9, 4, 4]
    #expect(Statistics.mean(values) == 5)
    #expect(Statistics.standardDeviation(values) == 7.0.squareRoot())
    #expect(Statistics.median(values) == 4 && Statistics.median([4, 1, 3, 2]) == 2.5)
    let half = try #require(Statistics.intervalHalfWidth(values))
    #expect(abs(half - 2.776445 * (7.0 / 5).squareRoot()) < 1e-5)
    #expect(Statistics.standardDeviation([1]) == nil && Statistics.intervalHalfWidth([1]) == nil)
    #expect(Statistics.mean([]) == nil && Statistics.median([]) == nil)
  }
}

private func tangent(_ x: Double) -> Double { tan(x) }
