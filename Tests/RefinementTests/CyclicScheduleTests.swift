import Foundation
import Refinement
import TestSupport
import Testing

/// golden/schedules.json and the fixture of the same form.
private struct Schedules: Decodable {
  let alpha: [String: [Double]]
  let layer_weights: [String: [Double]]

  /// Nil, said loudly, where the large set is missing.
  static func load(_ source: Golden.Source) throws -> Schedules? {
    let fixture = "\(PackageRoot.path)/Tests/Fixtures/schedules.json"
    let found = source == .fixture ? fixture : SharedFiles.path("golden/schedules.json")
    guard let path = found else { return nil }
    return try JSONDecoder().decode(Schedules.self, from: Data(contentsOf: URL(filePath: path)))
  }
}

@Suite struct `Cyclic schedule` {
  // 1e-12: both sides compute in double precision, so a few units of 1e-16 apart.
  @Test(arguments: Golden.Source.allCases)
  func `alpha is the reference's in every epoch`(source: Golden.Source) throws {
    guard let reference = try Schedules.load(source) else { return }
    var checked = 0
    for epochs in [10, 100] {
      for fraction in [0, 0.25, 0.5, 0.75, 1] {
        let schedule = CyclicSchedule(epochs: epochs, warmup: fraction)
        let expected = try #require(reference.alpha["epochs=\(epochs),warmup=\(schedule.warmupEpochs)"])
        #expect(expected.count == epochs)
        for (epoch, alpha) in expected.enumerated() {
          #expect(abs(schedule.alpha(epoch) - alpha) < 1e-12, "\(fraction) of \(epochs), epoch \(epoch)")
          checked += 1
        }
      }
    }
    #expect(checked == 550)
  }

  @Test(arguments: [
    (10, 0.25, 2), (3, 0.34, 1), (30, 0.25, 7), (100, 0.29, 29), (100, 0.57, 57), (7, 0, 0), (7, 1, 7),
  ])
  func `the warm-up is the whole epochs of its fraction`(epochs: Int, fraction: Double, expected: Int) {
    #expect(CyclicSchedule(epochs: epochs, warmup: fraction).warmupEpochs == expected)
  }

  @Test func `the first cyclic epoch still weighs the task by 1`() {
    let schedule = CyclicSchedule(epochs: 8, warmup: 0.5)
    #expect((0..<8).map(schedule.isCyclic) == [false, false, false, false, true, true, true, true])
    #expect((0...4).allSatisfy { schedule.alpha($0) == 1 })
    #expect(schedule.alpha(5) < 1)
  }

  @Test func `alpha falls, but never below its minimum`() {
    let free = CyclicSchedule(epochs: 20, warmup: 0.25)
    let held = CyclicSchedule(epochs: 20, warmup: 0.25, alphaMinimum: 0.3)
    #expect((6..<20).allSatisfy { free.alpha($0) < free.alpha($0 - 1) })
    #expect(free.alpha(19) < 0.3)
    #expect((0..<20).allSatisfy { held.alpha($0) == max(free.alpha($0), 0.3) })
  }
}

@Suite struct `Layer weights` {
  @Test(arguments: Golden.Source.allCases)
  func `are the reference's for every number of taps`(source: Golden.Source) throws {
    guard let reference = try Schedules.load(source) else { return }
    let kinds: [(String, LayerWeights)] = [
      ("uniform", .uniform), ("cosine", .cosine), ("cosine_increasing", .cosineIncreasing),
    ]
    for (name, kind) in kinds {
      for count in [1, 2, 3, 4, 8] {
        let expected = try #require(reference.layer_weights["\(name),\(count)"])
        let ours = try kind.values(count: count)
        #expect(ours.count == count && expected.count == count)
        #expect(zip(ours, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(name) of \(count)")
      }
    }
  }

  @Test func `of a list are the list, which must be as long as the taps`() throws {
    #expect(try LayerWeights.list([0.5, 0, 2]).values(count: 3) == [0.5, 0, 2])
    let error = #expect(throws: LayerWeightsError.self) { try LayerWeights.list([1, 2]).values(count: 3) }
    #expect(
      error?.description
        == "distillation.layer_weights: expected one weight for each of the 3 taps, got a list of 2")
  }
}
