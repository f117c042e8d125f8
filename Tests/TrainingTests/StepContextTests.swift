import Method
import Planning
import Testing

/// What the method does in a step, by where the run stands: 2 epochs of 4 steps.
@Suite struct StepContextTests {
  private func context(
    _ settings: [String], step: Int, memorised: Double = 0
  ) throws -> StepContext {
    try TinyRun.plan(settings).context(epoch: step / 4, step: step, batchCount: 8, memorised: memorised)
  }

  @Test func `a mixed student's distillation comes in over the first half of the steps, beside the whole task loss`()
    throws
  {
    let settings = ["icp.objective=mixed", "training.mixup=0.4", "distillation.weight=3"]
    let contexts = try (0..<8).map { try context(settings, step: $0) }
    #expect(contexts.map(\.strength) == [0, 0.75, 1.5, 2.25, 3, 3, 3, 3])
    #expect(contexts.allSatisfy { $0.alpha == 1 && $0.stage == .cyclic })
    #expect(try context(settings + ["distillation.ramp=0"], step: 0).strength == 3)
  }

  @Test func `soft targets take their share from the task loss`() throws {
    let contexts = try (0..<8).map { try context(["icp.objective=soft"], step: $0) }
    #expect(contexts.map(\.strength) == (0..<8).map { 0.8 * (Double($0) / 8) })
    #expect(contexts.allSatisfy { $0.alpha == 1 - $0.strength })
  }

  @Test(arguments: ["distillation", "task", "soft"])
  func `a gate is a plain step until images are learned, and open when all are`(objective: String) throws {
    let settings = ["icp.objective=\(objective)", "distillation.gate=0.6", "distillation.alpha_min=0.5"]
    let open = try context(["icp.objective=\(objective)", "distillation.alpha_min=0.5"], step: 7)
    for memorised in [0, 0.3, 0.6] {
      let shut = try context(settings, step: 7, memorised: memorised)
      #expect(shut.stage == .plain && shut.alpha == 1)
    }
    let half = try context(settings, step: 7, memorised: 0.8)
    let whole = try context(settings, step: 7, memorised: 1)
    #expect(half.stage == .cyclic && whole.stage == .cyclic)
    #expect(whole.alpha == open.alpha && whole.strength == open.strength)
    #expect(abs(half.alpha - (1 + open.alpha) / 2) < 1e-15 && abs(half.strength - open.strength / 2) < 1e-15)
  }

  @Test func `a refinement fades to nothing, and training on what does not move is plain`() throws {
    let settings = ["icp.objective=task", "icp.fade=0.5"]
    let contexts = try (0..<8).map { try context(settings, step: $0) }
    #expect(contexts.map(\.reach) == [1, 0.75, 0.5, 0.25, 0, 0, 0, 0])
    #expect(contexts.map { $0.stage == .cyclic } == [true, true, true, true, false, false, false, false])
    #expect(try context(["icp.fade=0.5"], step: 7).stage == .cyclic)
  }

  @Test func `mixing ends, and a mixed student's step is plain from there`() throws {
    let settings = ["training.mixup=0.4", "training.mixing_until=0.5"]
    let mixed = try (0..<8).map { try context(settings + ["icp.objective=mixed"], step: $0) }
    #expect(mixed.map(\.mixes) == [true, true, true, true, false, false, false, false])
    #expect(mixed.map { $0.stage == .cyclic } == mixed.map(\.mixes))
    // Distilling needs no mixing.
    #expect(try (0..<8).allSatisfy { try context(settings + ["distillation.warmup=0"], step: $0).stage == .cyclic })
    #expect(try !context(["training.mixup=0.4", "training.mixing_until=0"], step: 0).mixes)
  }

  @Test func `images are mixed after so many epochs`() throws {
    let plan = try TinyRun.plan(["icp.objective=mixed", "training.mixup=0.4", "training.mixing_after_epochs=2"])
    let contexts = (0..<4).map { plan.context(epoch: $0, position: 0, step: $0, batchCount: 1) }
    #expect(contexts.map(\.mixes) == [false, false, true, true])
    #expect(contexts.map { $0.stage == .cyclic } == contexts.map(\.mixes))
  }

  @Test func `a share of the batches is mixed, another one with each seed`() throws {
    let plan = try TinyRun.plan(["icp.objective=mixed", "training.mixup=0.4", "training.mixing_probability=0.25"])
    let contexts = (0..<400).map { plan.context(epoch: $0, position: 1, step: 1, batchCount: 8) }
    // 100 expected, with a deviation of 8.7.
    #expect((74...126).contains(contexts.count { $0.mixes }))
    #expect(contexts.allSatisfy { ($0.stage == .cyclic) == $0.mixes })
    let other = try TinyRun.plan(["training.mixup=0.4", "training.mixing_probability=0.25", "training.seed=77"])
    #expect(
      contexts.map(\.mixes) != (0..<400).map { other.context(epoch: $0, position: 1, step: 1, batchCount: 8).mixes })
  }

  @Test func `what an epoch came to decides about the next one where there is a gate, and is kept nowhere else`() throws
  {
    for (settings, isKept) in [([], false), (["distillation.gate=0.5"], true)] {
      let trainer = try TinyRun.trainer(TinyRun.plan(settings + ["training.max_steps=6"]))
      try trainer.run()
      #expect((trainer.progress.lastEpoch?.samples == 30) == isKept)
      #expect((trainer.progress.lastEpoch == nil) != isKept)
    }
  }
}
