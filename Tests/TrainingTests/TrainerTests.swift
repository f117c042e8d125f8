import Checkpointing
import Kernels
import Loading
import MPI
import Method
import Models
import Optimization
import Planning
import Runtime
import Supervision
import Testing
import Training

/// The run itself. What its steps compute is compared with PyTorch in MethodTests, over ranks in CommandTests.
@Suite struct TrainerTests {
  @Test func `observers hear of every step, then of its epoch, and of what ranks told`() throws {
    let notes = Notes(tells: 5)
    try TinyRun.trainer(TinyRun.plan(), observers: [Notes(tells: 3), notes]).run()
    #expect(
      notes.heard == ["step 1", "step 2", "step 3", "step 4", "epoch 0"]
        + ["step 5", "step 6", "step 7", "step 8", "epoch 1, the last"])
    #expect(notes.steps.allSatisfy { $0.signals == 5 && $0.isTaken && $0.loss.isFinite })
    #expect(notes.steps.map(\.samples) == [8, 8, 8, 6, 8, 8, 8, 6])
  }

  @Test func `a run that ends within an epoch closes the part of it`() throws {
    let notes = Notes()
    let trainer = try TinyRun.trainer(TinyRun.plan(["training.max_steps=6"]), observers: [notes])
    try trainer.run()
    #expect(notes.heard.suffix(3) == ["step 5", "step 6", "part of epoch 1, the last"])
    #expect(trainer.progress.epoch == 1 && trainer.progress.position == 2)
    // Nothing is left to do.
    try trainer.run()
    #expect(trainer.progress.step == 6)
  }

  @Test(arguments: [["optimizer.kind=sgd", "optimizer.learning_rate=1"], ["icp.rule=none", "optimizer.kind=sgd"]])
  func `a step is the method's on each shard, their mean by samples, and the optimiser's`(settings: [String]) throws {
    let plan = try TinyRun.plan(
      settings + ["optimizer.weight_decay=0", "optimizer.clip_norm=none", "training.batch_size=7"])
    let trainer = TinyRun.trainer(plan)
    let model = ModelState(plan.network, seed: plan.configuration.training.seed)
    let loader = BatchLoader(plan.batches, shards: 0..<2)
    defer { loader.stop() }
    let batch = try loader.next()
    let context = plan.context(epoch: 0, step: 0, batchCount: batch.count)

    // Four samples and three.
    let method = TrainingMethod(plan.method, model: model, sizes: plan.batches.schedule.shardSizes)
    var gradient = [Double](repeating: 0, count: model.layout.parameterCount)
    var loss = 0.0
    method.begin()
    for shard in batch.shards {
      let result = method.differentiate(shard, context, phases: PhaseClock())
      let share = Double(shard.count) / 7
      for index in gradient.indices { gradient[index] += share * Double(result.gradients.values[index]) }
      loss += share * result.scalars.taskLoss
    }
    let mean = Tensor(count: gradient.count)
    _ = mean.values.update(fromContentsOf: gradient.map { Float($0) })
    let optimizer = Optimizer(plan.configuration.optimizer, layout: model.layout)
    let norm = optimizer.step(model.parameters, along: mean, clippedTo: nil, learningRate: 0.5)

    let finished = try trainer.step(batch, context, learningRate: 0.5)
    #expect(finished.isTaken && finished.learningRate == 0.5)
    // Units of 2^-44, one or two of each sum; then roundings to float of gradient and parameter.
    #expect(abs(finished.scalars.taskLoss - loss) < 0x1p-43 + loss * 1e-15)
    #expect(abs(finished.gradientNorm - norm) < 1e-6 * norm)
    for (index, expected) in model.parameters.values.enumerated() {
      let size = Float(abs(gradient[index])) + abs(expected)
      #expect(abs(trainer.model.parameters.values[index] - expected) <= 0x1p-43 + size.ulp)
    }
    #expect(trainer.bits != TinyRun.trainer(plan).bits)
  }

  @Test(arguments: 1...7) func `a run cut after any step and resumed has the bits of the run never cut`(
    step: Int
  ) throws {
    let settings = ["training.mixup=0.3", "icp.rule=adam", "training.ema=0.9"]
    let whole = try TinyRun.trainer(TinyRun.plan(settings))
    try whole.run()
    let first = try TinyRun.trainer(TinyRun.plan(settings + ["training.max_steps=\(step)"]))
    try first.run()
    // As a checkpoint holds it.
    let state = try TrainingState(first.state.snapshot(plan: first.plan), path: "")
    let notes = Notes()
    let second = try TinyRun.trainer(TinyRun.plan(settings), observers: [notes])
    try second.resume(from: state)
    #expect(second.bits == first.bits && second.progress == first.progress)
    try second.run()
    #expect(second.bits == whole.bits && second.progress == whole.progress)
    #expect(notes.steps.map(\.progress.step) == Array(step + 1...8))
  }

  @Test(arguments: ["adamw", "sgd"])
  func `a frozen layer stays to the bit, without state, while the others train; a factor is a learning rate`(
    kind: String
  ) throws {
    let settings = ["optimizer.kind=\(kind)", "optimizer.learning_rate=0.01", "optimizer.clip_norm=none"]
    let trainer = try TinyRun.trainer(TinyRun.plan(settings + ["model.freeze=[fc1]"]))
    let before = trainer.model.parameters.values.map(\.bitPattern)
    try trainer.run()
    for entry in trainer.model.layout.parameters {
      let isFrozen = entry.name.hasPrefix("fc1.")
      #expect(entry.isFrozen == isFrozen)
      let bits = trainer.model.parameters.values[entry.range].map(\.bitPattern)
      #expect((bits == Array(before[entry.range])) == isFrozen, "\(entry.name)")
      for slot in trainer.optimizer.slots {
        #expect(slot.values[entry.range].contains { $0 != 0 } == !isFrozen, "\(slot.name) of \(entry.name)")
      }
    }
    let halved = try TinyRun.trainer(TinyRun.plan(settings + ["optimizer.multipliers={fc1: 0.5, fc2: 0.5}"]))
    let slower = try TinyRun.trainer(TinyRun.plan(settings + ["optimizer.learning_rate=0.005"]))
    try halved.run()
    try slower.run()
    #expect(halved.bits == slower.bits)
  }

  @Test func `a run with frozen layers that is cut and resumed has the bits of the run never cut`() throws {
    let settings = ["model.kind=resnet8", "model.freeze=[conv1, bn1, layer1]", "model.freeze_statistics=true"]
    let whole = try TinyRun.trainer(TinyRun.plan(settings))
    try whole.run()
    let first = try TinyRun.trainer(TinyRun.plan(settings + ["training.max_steps=3"]))
    try first.run()
    let state = try TrainingState(first.state.snapshot(plan: first.plan), path: "")
    let second = try TinyRun.trainer(TinyRun.plan(settings))
    try second.resume(from: state)
    try second.run()
    #expect(second.bits == whole.bits)
  }

  @Test func `an epoch that awaits its evaluation is closed first`() throws {
    let first = try TinyRun.trainer(TinyRun.plan(["training.max_steps=4"]))
    try first.run()
    var progress = first.progress
    progress.awaitsEvaluation = true
    let notes = Notes()
    let second = try TinyRun.trainer(TinyRun.plan(), observers: [notes])
    try second.resume(from: first.state)
    second.progress = progress
    try second.run()
    #expect(notes.heard.first == "epoch 0" && notes.heard.count == 1 + 4 + 1)
  }

  @Test func `a step with a value that is no number changes nothing, and says which`() throws {
    let notes = Notes()
    let trainer = try TinyRun.trainer(TinyRun.plan(["training.ema=0.9"]), probe: Breaker([3]), observers: [notes])
    try trainer.run()
    #expect(notes.steps.map(\.isTaken) == [true, true, false, true, true, true, true, true])
    let refused = notes.steps[2]
    #expect(refused.refused == 1 && refused.loss.isNaN && refused.bits == notes.steps[1].bits)
    let first = trainer.model.layout.parameters.first { $0.range.contains(0) }
    #expect(refused.firstRefused == first.map { "the gradient of \($0.name)" })
    #expect(refused.progress.refusedSteps == 1 && refused.progress.refusedInRow == 1 && refused.progress.step == 3)
    #expect(notes.steps[3].progress.refusedSteps == 1 && notes.steps[3].progress.refusedInRow == 0)
    #expect(notes.steps[3].bits != refused.bits)
  }

  @Test func `every rollback on the way halves the learning rate`() throws {
    let notes = Notes()
    let trainer = try TinyRun.trainer(TinyRun.plan(), observers: [notes])
    trainer.progress.rollbacks = 2
    try trainer.run()
    #expect(notes.steps.indices.allSatisfy { notes.steps[$0].learningRate == trainer.plan.learningRate[$0] / 4 })
  }

  // MARK: training.non_finite

  @Test(
    arguments: [([3, 4], nil), ([3, 4, 5], "in the third step in a row"), ([2, 3, 5, 6], nil)] as [([Int], String?)])
  func `skip drops steps, but not three in a row`(broken: [Int], says: String?) throws {
    let notes = Notes()
    let trainer = try TinyRun.trainer(
      TinyRun.plan(), probe: Breaker(broken), observers: [NonFiniteGuard(.skip, nil), notes])
    if let says {
      let error = #expect(throws: SharedError.self) { try trainer.run() }
      #expect(error?.exitCode == ExitCode.notFinite && error?.description.contains(says) == true)
      #expect(trainer.progress.step == 5)
    } else {
      try trainer.run()
      #expect(trainer.progress.step == 8 && trainer.progress.refusedSteps == broken.count)
    }
  }

  @Test func `stop ends the run, naming what was no number`() throws {
    let trainer = try TinyRun.trainer(
      TinyRun.plan(), probe: Breaker([2]), observers: [NonFiniteGuard(.stop, nil)])
    let error = #expect(throws: SharedError.self) { try trainer.run() }
    #expect(error?.description.hasPrefix("step 2: the gradient of ") == true)
    #expect(error?.description.contains(" on rank 0 is not finite or beyond 2^18 (1 value in all); ") == true)
  }

  @Test func `rollback goes back to the start where nothing was saved, and gives up after ten times`() throws {
    let plan = try TinyRun.plan(["training.non_finite=rollback", "training.ema=0.9"])
    let notes = Notes()
    let once = TinyRun.trainer(plan, probe: Breaker([3]), observers: [NonFiniteGuard(.rollback, nil), notes])
    let rollback = Rollback(once, nil)
    // `--extend` came after the state that it goes back to.
    once.progress.extensions = [2]
    try rollback.run()
    #expect(notes.steps.map(\.progress.step) == [1, 2, 1, 2, 3, 4, 5, 6, 7, 8])
    #expect(notes.steps[2].learningRate == notes.steps[0].learningRate / 2)
    #expect(once.progress.rollbacks == 1 && once.progress.refusedSteps == 0)
    #expect(once.progress.extensions == [2])

    let always = TinyRun.trainer(
      plan, probe: Breaker(Array(repeating: 3, count: 99)), observers: [NonFiniteGuard(.rollback, nil)])
    let error = #expect(throws: SharedError.self) { try Rollback(always, nil).run() }
    #expect(error?.description.contains("after ten rollbacks to step 0") == true)
  }
}
