import Foundation
import Optimization
import TestSupport
import Testing

@Suite struct `Learning rate schedule` {
  private struct Reference: Decodable {
    struct Plateau: Decodable {
      let values, rates: [Double]
    }

    let learning_rate: [String: [Double]]
    let plateau: [String: Plateau]

    static func read() throws -> Reference {
      let data = try Data(contentsOf: URL(filePath: "\(PackageRoot.path)/Tests/Fixtures/schedules.json"))
      return try JSONDecoder().decode(Reference.self, from: data)
    }
  }

  // 1e-12: PyTorch's cosine multiplies its way from step to step, in double precision.
  @Test(arguments: [
    ("cosine", LearningRateSchedule.Kind.cosine, 0), ("step", .step(milestones: [2, 3], gamma: 0.1), 0),
    ("one_cycle", .oneCycle(rise: 0.3, start: 0.04), 4e-6),
  ])
  func `is PyTorch's in every step`(name: String, kind: LearningRateSchedule.Kind, minimum: Double) throws {
    let reference = try #require(Reference.read().learning_rate[name])
    // What PyTorch ends at: 1 / (div_factor final_div_factor).
    let schedule = LearningRateSchedule(kind: kind, base: 0.1, epochs: 4, stepsPerEpoch: 6, minimum: minimum)
    #expect(reference.count == 24)
    for (step, rate) in reference.enumerated() { #expect(abs(schedule[step] - rate) < 1e-12, "step \(step)") }
  }

  @Test(arguments: [("min", false), ("max", true)])
  func `plateau drops when ReduceLROnPlateau does`(name: String, higherIsBetter: Bool) throws {
    let reference = try #require(Reference.read().plateau[name])
    let schedule = LearningRateSchedule(
      kind: .plateau(gamma: 0.5), base: 0.1, epochs: 100, stepsPerEpoch: 3, minimum: 0.05)
    var plateau = Plateau()
    for (epoch, value) in reference.values.enumerated() {
      // A power in the place of a product: the last bits.
      #expect(abs(schedule[3 * epoch, drops: plateau.drops] - reference.rates[epoch]) < 1e-15, "epoch \(epoch)")
      let before = plateau.drops
      let drops = plateau.judge(value, higherIsBetter: higherIsBetter, epoch: epoch, patience: 2)
      #expect(drops == (plateau.drops > before))
      // As a resume that measures again.
      let judged = plateau
      #expect(!plateau.judge(value, higherIsBetter: higherIsBetter, epoch: epoch, patience: 2) && plateau == judged)
    }
    #expect(plateau.drops > 4)
  }

  @Test func `a value that is no number is no better, also as the first`() {
    var plateau = Plateau()
    #expect(!plateau.judge(.nan, higherIsBetter: false, epoch: 0, patience: 1) && plateau.best == nil)
    #expect(plateau.judge(.infinity, higherIsBetter: false, epoch: 1, patience: 1) && plateau.drops == 1)
    #expect(!plateau.judge(3, higherIsBetter: false, epoch: 2, patience: 1) && plateau.best == 3)
  }

  @Test func `one_cycle rises to the rate and ends at its minimum, however few the steps are`() {
    for steps in 1...40 {
      let schedule = LearningRateSchedule(
        kind: .oneCycle(rise: 0.25, start: 0.1), base: 2, epochs: 1, stepsPerEpoch: steps, minimum: 0.01)
      let rates = (0..<steps).map { schedule[$0] }
      #expect(rates.allSatisfy { $0.isFinite && 0.0199 < $0 && $0 <= 2 })
      #expect(abs(rates[steps - 1] - 0.02) < 1e-12)
    }
  }

  @Test func `cosine with a minimum is PyTorch's CosineAnnealingLR with eta_min`() {
    func schedule(_ minimum: Double) -> LearningRateSchedule {
      LearningRateSchedule(kind: .cosine, base: 0.3, epochs: 2, stepsPerEpoch: 5, minimum: minimum)
    }
    // eta_min + (base - eta_min) (1 + cos) / 2
    for step in 0..<10 {
      let expected: Double = 0.06 + 0.8 * schedule(0)[step]
      #expect(abs(schedule(0.2)[step] - expected) < 1e-15)
      #expect(schedule(1)[step] == 0.3)
    }
  }

  @Test func `constant is constant, and cosine goes from base towards zero`() {
    let constant = LearningRateSchedule(kind: .constant, base: 0.3, epochs: 2, stepsPerEpoch: 5)
    #expect((0..<10).allSatisfy { constant[$0] == 0.3 })
    let cosine = LearningRateSchedule(kind: .cosine, base: 0.3, epochs: 2, stepsPerEpoch: 5)
    #expect(cosine[0] == 0.3)
    #expect(abs(cosine[5] - 0.15) < 1e-15)
    #expect((1..<10).allSatisfy { cosine[$0] < cosine[$0 - 1] && cosine[$0] > 0 })
  }

  @Test func `a milestone named twice counts twice, as in PyTorch`() {
    let schedule = LearningRateSchedule(
      kind: .step(milestones: [1, 1], gamma: 0.5), base: 1, epochs: 2, stepsPerEpoch: 2)
    #expect((0..<4).map { schedule[$0] } == [1, 1, 0.25, 0.25])
  }

  @Test(arguments: [
    LearningRateSchedule.Kind.constant, .cosine, .step(milestones: [2], gamma: 0.1),
  ])
  func `a warm-up rises to base in a straight line and changes no step after it`(
    kind: LearningRateSchedule.Kind
  ) {
    func make(warmup: Int) -> LearningRateSchedule {
      LearningRateSchedule(kind: kind, base: 0.8, epochs: 4, stepsPerEpoch: 4, warmupEpochs: warmup)
    }
    let (warm, plain) = (make(warmup: 2), make(warmup: 0))
    for step in 0..<8 { #expect(abs(warm[step] - 0.1 * Double(step + 1)) < 1e-15) }
    for step in 8..<16 { #expect(warm[step] == plain[step]) }
  }
}
