import Foundation
import Testing
import Sessions

@Suite struct RateTestTests {
  /// A loss that falls along a slope about 1e-2 and rises from 1e-1 on.
  private func report(noise: Double) -> RateTestReport {
    let rates = (0..<100).map { pow(10, -6 + 6 * Double($0) / 99) }
    let losses = rates.enumerated().map { index, rate -> Double in
      let x = log10(rate)
      let fall = 2 / (1 + exp(4 * (x + 2)))
      let rise = x > -1 ? 8 * (x + 1) * (x + 1) : 0
      return 0.3 + fall + rise + noise * sin(37 * Double(index))
    }
    return RateTestReport(rates: rates, losses: losses)
  }

  @Test(arguments: [0, 0.05]) func `the suggestion is where the smoothed loss falls fastest`(noise: Double) throws {
    let suggestion = try #require(report(noise: noise).suggestion)
    #expect(abs(log10(suggestion.rate) + 2) < 0.25, "\(suggestion)")
    #expect(suggestion.slope < -1 && suggestion.best > suggestion.rate && suggestion.best < 0.2)
  }

  @Test func `smoothing is a mean over neighbours, fewer of them at the ends`() {
    let report = RateTestReport(rates: Array(repeating: 1, count: 9), losses: (0..<9).map { Double($0) })
    #expect(report.smoothed[4] == 4 && report.smoothed[0] == 1.5 && report.smoothed[8] == 6.5)
  }

  @Test func `a loss that does not fall leads to no suggestion`() {
    let rates = (0..<30).map { pow(10, Double($0) / 10) }
    #expect(RateTestReport(rates: rates, losses: rates.map { _ in 2.3 }).suggestion == nil)
    #expect(RateTestReport(rates: rates, losses: rates).suggestion == nil)
    #expect(RateTestReport(rates: [1, 2], losses: [2, 1]).suggestion == nil)
  }
}
