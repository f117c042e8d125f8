import Foundation
import Optimization
import TestSupport
import Testing

@Suite struct `Learning rate schedule` {
  private struct Reference: Decodable {
    let learning_rate: [String: [Double]]
  }

  // 1e-12: PyTorch's cosine multiplies its way from step to step, in double precision.
  @Test(arguments: [
    ("cosine", LearningRateSchedule.Kind.cosine), ("step", .step(milestones: [2, 3], gamma: 0.1)),
  ])
  func `is PyTorch's in every step`(name: String, kind: LearningRateSchedule.Kind) throws {
    let path = "\(PackageRoot.path)/Tests/Fixtures/schedules.json"
    let data = try Data(contentsOf: URL(filePath: path))
    let reference = try #require(JSONDecoder().decode(Reference.self, from: data).learning_rate[name])
    let schedule = LearningRateSchedule(kind: kind, base: 0.1, epochs: 4, stepsPerEpoch: 6)
    #expect(reference.count == 24)
    for (step, rate) in reference.enumerated() { #expect(abs(schedule[step] - rate) < 1e-12, "step \(step)") }
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
  func `a warm-up rises to base in a straight line and changes no step behind it`(
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
