import Evaluation
import Runtime
import Testing

@Suite struct EpisodeTests {
  /// Class 10 k has the samples 100 k ... 100 k + 11.
  private func classes(_ count: Int) -> [(label: Int, samples: [Int])] {
    (0..<count).map { k in (10 * k, Array(100 * k..<100 * k + 12)) }
  }

  @Test(arguments: 0..<20)
  func `an episode draws classes and samples once each, of the right class`(episode: Int) throws {
    let options = EpisodeOptions(way: 3, shots: 2, queries: 4, episodes: 20, seed: 7)
    let groups = try Episodes(options, classes: classes(5))[episode]
    #expect(groups.count == 3 && Set(groups.map(\.label)).count == 3)
    for group in groups {
      #expect(group.support.count == 2 && group.queries.count == 4)
      let all = group.support + group.queries
      #expect(Set(all).count == 6)
      #expect(all.allSatisfy { $0 / 100 * 10 == group.label && $0 % 100 < 12 })
    }
  }

  @Test func `an episode depends on seed and number alone, and every class and sample comes`() throws {
    let options = EpisodeOptions(way: 3, shots: 2, queries: 4, episodes: 200, seed: 7)
    let episodes = try Episodes(options, classes: classes(5))
    var other = options
    other.seed = 8
    #expect(try Episodes(options, classes: classes(5))[13] == episodes[13])
    #expect(try Episodes(other, classes: classes(5))[13] != episodes[13])
    #expect(episodes[12] != episodes[13])
    let drawn = (0..<200).flatMap { episodes[$0] }
    for label in stride(from: 0, to: 50, by: 10) {
      // 600 draws of 5 classes: 120 each, within five standard deviations.
      let count = drawn.count { $0.label == label }
      #expect(abs(Double(count) - 120) < 5 * (200 * 0.6 * 0.4).squareRoot())
    }
    #expect(Set(drawn.flatMap(\.support)).count == 60)
  }

  @Test func `where all classes are asked for all come, and too much is refused with what is there`() throws {
    let all = EpisodeOptions(way: 5, shots: 2, queries: 10, episodes: 5)
    #expect(Set(try Episodes(all, classes: classes(5))[0].map(\.label)) == [0, 10, 20, 30, 40])
    let few = #expect(throws: UsageError.self) { try Episodes(all, classes: classes(3)) }
    #expect(few?.description == "--way is 5, but there are 3 classes to draw from, 0, 10, 20; expected 2 to 3")
    let short = #expect(throws: UsageError.self) {
      try Episodes(EpisodeOptions(way: 2, shots: 3, queries: 10), classes: classes(3))
    }
    #expect(
      short?.description == "class 0 has 12 test images, expected at least 13: 3 labelled and 10 to recognise")
  }

  /// Two classes on a plane: centroids (1, 0) and (0, 4) of two samples each.
  private let points: [[Float]] = [
    [0, 0], [2, 0], [0, 2], [0, 6],
    [0, 1], [1, 2], [3, 4], [.nan, 0],
  ]

  @Test func `a query goes to the nearest centroid`() {
    let judge = NearestCentroid(distance: .euclidean, width: 2)
    func correct(_ first: [Int], _ second: [Int]) -> Int {
      judge.correct(in: [
        .init(label: 3, support: [0, 1], queries: first), .init(label: 5, support: [2, 3], queries: second),
      ]) { points[$0][...] }
    }
    // (0, 1) is sqrt 2 from the first and 3 from the second; (1, 2) is 2 and sqrt 5 away; (3, 4) sqrt 20 and 3.
    #expect(correct([4, 5], [6]) == 3)
    #expect(correct([6], [4, 5]) == 0)
    #expect(correct([7], []) == 0 && correct([], [7]) == 0)
  }

  @Test func `by the cosine, length does not count`() {
    // Directions: class one along (1, 0) and (1, 1), class two along (0, 1).
    let vectors: [[Float]] = [[100, 0], [0.1, 0.1], [0, 0.01], [5, 4], [0.2, 1], [0, 0]]
    let groups = [
      Episodes.Group(label: 0, support: [0, 1], queries: [3]), .init(label: 1, support: [2], queries: [4]),
    ]
    #expect(NearestCentroid(distance: .cosine, width: 2).correct(in: groups) { vectors[$0][...] } == 2)
    // By distance both are nearer to (0, 0.01) than to (50.05, 0.05).
    #expect(NearestCentroid(distance: .euclidean, width: 2).correct(in: groups) { vectors[$0][...] } == 1)
  }

  @Test func `classes along their own axes are all recognised, and classes that coincide as often as chance says`()
    throws
  {
    let options = EpisodeOptions(way: 4, shots: 1, queries: 5, episodes: 50)
    let episodes = try Episodes(options, classes: classes(4))
    let judge = NearestCentroid(distance: .euclidean, width: 4)
    func accuracy(_ feature: (Int) -> [Float]) -> Double {
      let correct = (0..<50).map { judge.correct(in: episodes[$0]) { feature($0)[...] } }
      return EpisodeReport(options: options, classes: [0, 10, 20, 30], correct: correct).accuracy
    }
    #expect(accuracy { sample in (0..<4).map { $0 == sample / 100 ? 1 + Float(sample % 100) / 50 : 0 } } == 1)
    // Equally near, the first counts: one class of four.
    #expect(accuracy { _ in [1, 2, 3, 4] } == 0.25)
  }

  @Test func `the interval is 1.96 s over the root of the episodes`() {
    let options = EpisodeOptions(way: 2, shots: 1, queries: 5, episodes: 4)
    let report = EpisodeReport(options: options, classes: [0, 1], correct: [4, 6, 8, 10])
    #expect(abs(report.accuracy - 0.7) < 1e-15)
    // Deviations -0.3, -0.1, 0.1, 0.3: s^2 = 0.2 / 3.
    #expect(abs(report.standardDeviation - (0.2 / 3).squareRoot()) < 1e-15)
    #expect(abs(report.interval - 1.96 * (0.2 / 3).squareRoot() / 2) < 1e-15)
    #expect(report.text.hasSuffix("accuracy: 70.00 % +- 25.30 % (95 %)"))
  }
}
