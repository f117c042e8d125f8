import Testing
import Training

@Suite struct StragglerTests {
  /// What is said, by step from 1, where this rank takes `own(step)` seconds for a sample and the others one second.
  private func said(_ steps: Int, ranks: Int = 4, own: (Int) -> Double) -> [Int: Double] {
    var straggler = Straggler()
    var said: [Int: Double] = [:]
    for step in 1...steps {
      let own = own(step)
      if let ratio = straggler.record(own: own, all: own + Double(ranks - 1), ranks: ranks) { said[step] = ratio }
    }
    return said
  }

  @Test(arguments: [2, 3, 8]) func `twice as slow for 40 steps is said, once, with how much`(ranks: Int) {
    #expect(said(200, ranks: ranks) { _ in 2.5 } == [40: 2.5])
  }

  @Test func `less than twice is not`() {
    #expect(said(200) { _ in 1.9 } == [:])
  }

  @Test func `one slow window is somebody else's minute`() {
    #expect(said(200) { (21...40).contains($0) ? 9 : 1 } == [:])
  }

  @Test func `a window's mean counts, not its single steps`() {
    // Every other step takes three times as long: twice on average.
    #expect(said(60) { $0 % 2 == 0 ? 3 : 1 } == [40: 2])
  }

  @Test func `it is said again where it was better in between`() {
    #expect(said(160) { (61...80).contains($0) ? 1 : 4 } == [40: 4, 120: 4])
  }

  @Test func `a rank alone is never slow`() {
    #expect(said(200, ranks: 1) { _ in 100 } == [:])
  }

  @Test func `others that take no time are no division by zero`() {
    var straggler = Straggler()
    let ratios = (1...40).compactMap { _ in straggler.record(own: 1, all: 1, ranks: 2) }
    #expect(ratios.count == 1 && ratios[0].isFinite)
  }
}
