import Foundation
import TestSupport
import Testing

/// Stopping, going on, and what is kept.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ResumeTests {
  /// Step 7 lies in the middle of the second epoch, 5 and 10 end one, 20 is the last.
  @Test(.ranks, arguments: [(1, 2, nil), (5, nil, 3), (7, 3, 2), (10, nil, nil), (19, nil, 2), (20, nil, nil)])
  func `a run stopped after any step goes on with the bits of the unbroken one, at another rank count`(
    step: Int, before: Int?, after: Int?
  ) throws {
    let tiny = try TinyRun()
    try tiny.train(into: "unbroken").expect(0)
    let first = try tiny.train(["training.max_steps=\(step)"], into: "run", ranks: before)
    first.expect(0)
    #expect(try tiny.checkpoints().contains(String(tiny.checkpointPath(step).split(separator: "/").last!)))
    let last = try #require(try tiny.records().last)
    #expect(last.kind == "epoch" && last.step == step)

    let second = try tiny.train(into: "run", resume: "auto", ranks: after)
    second.expect(0)
    #expect(second.standardOutput.contains("going on from run/checkpoints/step-00000\(step < 10 ? "0" : "")\(step)"))
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
    if step < 20 { #expect(try tiny.checkpoint(20) == tiny.checkpoint(20, of: "unbroken")) }
  }

  @Test(.ranks) func `a run broken several times, saving every 3 steps, is the unbroken one`() throws {
    let tiny = try TinyRun()
    let settings = ["optimizer.kind=sgd", "icp.rule=random", "data.augment=[pad-crop, flip]"]
    try tiny.train(settings, into: "unbroken").expect(0)
    for (stop, ranks) in [(4, nil), (9, 2), (15, nil), (20, 3)] as [(Int, Int?)] {
      let own = [
        "training.max_steps=\(stop)", "checkpoint.every_steps=3", "logging.every_steps=1", "checkpoint.keep=2",
      ]
      try tiny.train(settings + own, resume: "auto", ranks: ranks).expect(0)
    }
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
  }

  @Test(.ranks) func `a run in bfloat16 goes on with the bits of the unbroken one`() throws {
    let tiny = try TinyRun()
    let settings = ["icp.precision=auto", "training.precision=auto"]
    try tiny.train(settings, into: "unbroken").expect(0)
    try tiny.train(settings + ["training.max_steps=7"], ranks: 3).expect(0)
    try tiny.train(settings, resume: "auto", ranks: 2).expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    #expect(try tiny.checkpoint(20) == tiny.checkpoint(20, of: "unbroken"))
  }

  @Test func `resuming a run that is at its max_steps changes nothing`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=7"]).expect(0)
    let before = try (tiny.checkpoint(7), tiny.records().map(\.timeless))
    try tiny.train(["training.max_steps=7"], resume: "auto").expect(0)
    #expect(try tiny.checkpoint(7) == before.0)
    #expect(try tiny.records().map(\.timeless) == before.1)
  }

  @Test func `when to stop, save and report may change on resume, and changes no bit`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "unbroken").expect(0)
    try tiny.train(["training.max_steps=6"]).expect(0)
    let changed = ["logging.every_steps=7", "checkpoint.every_epochs=none", "checkpoint.keep=1"]
    try tiny.train(changed, resume: "auto").expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    // Every seventh, and the end of each epoch, which has five steps: none is without a record.
    #expect(try tiny.records().filter { $0.kind == "step" }.map(\.step) == [1, 2, 3, 4, 5, 6, 7, 10, 14, 15, 20])
  }

  @Test func `the data may have moved on resume, but not changed`() throws {
    let tiny = try TinyRun()
    try BadInputTests.Files.right.write(to: tiny.path("here"))
    try BadInputTests.Files.right.write(to: tiny.path("there"))
    // Not resized: an average over 4x4 pixels would round one changed bit away.
    let settings = ["data.format=cifar10", "data.size=native", "data.limit=24", "data.test_limit=5"]
    try tiny.train(settings + ["data.path=here"], into: "unbroken").expect(0)
    try tiny.train(settings + ["data.path=here", "training.max_steps=3"]).expect(0)
    try tiny.flipBit(of: tiny.path("here/data_batch_1.bin"), at: 1)
    try tiny.train(settings + ["data.path=here"], resume: "auto")
      .expect(65, "step-0000003.safetensors: 'data.path' holds other data than the run began with")
    try tiny.train(settings + ["data.path=there"], resume: "auto").expect(0)
    #expect(try tiny.tensors(8) == tiny.tensors(8, of: "unbroken"))
  }

  @Test(.ranks) func `shards auto are the ranks of the first start, and stay`() throws {
    let tiny = try TinyRun()
    let settings = ["training.shards=auto"]
    try tiny.train(settings, into: "unbroken", ranks: 2).expect(0)
    try tiny.train(settings + ["training.max_steps=8"], ranks: 2).expect(0)
    let alone = try tiny.train(settings, resume: "auto")
    alone.expect(0)
    #expect(alone.standardOutput.contains(" 1 rank, 2 shards"))
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    try tiny.train(settings, resume: "auto", ranks: 3).expect(64, "3 ranks, but training.shards is 2")
  }

  @Test func `a directory with checkpoints is refused without --resume, and started over with never`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=4"]).expect(0)
    let before = try tiny.checkpoint(4)
    try tiny.train(["training.max_steps=2"]).expect(64, "run holds checkpoints: --resume auto goes on")
    #expect(try tiny.checkpoint(4) == before)

    let over = try tiny.train(["training.max_steps=2", "training.seed=3"], resume: "never")
    over.expect(0)
    #expect(try tiny.checkpoints() == ["step-0000002.safetensors"])
    #expect(try tiny.records().map(\.step) == [1, 2, 2])
    let config = try String(contentsOfFile: tiny.path("run/config.yaml"), encoding: .utf8)
    #expect(config.contains("  seed: 3\n"))
  }

  @Test func `auto starts at step 0 where there is nothing`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"], into: "fresh", resume: "auto").expect(0)
    try tiny.train(["training.max_steps=2"], into: "plain").expect(0)
    #expect(try tiny.checkpoint(2, of: "fresh") == tiny.checkpoint(2, of: "plain"))
  }

  @Test func `resume by path goes on from that checkpoint, and sets later ones aside`() throws {
    let tiny = try TinyRun()
    try tiny.train().expect(0)
    let expected = try tiny.checkpoint(20)
    let outcome = try tiny.train(resume: tiny.checkpointPath(10))
    outcome.expect(0, "step-0000015.safetensors is of a later step than the run goes on from: set aside")
    #expect(outcome.standardOutput.contains("step-0000010.safetensors, step 10"))
    #expect(try tiny.checkpoint(20) == expected)
    #expect(try tiny.records().map(\.step).filter { $0 == 20 }.count == 2)
    try tiny.train(resume: "missing.safetensors").expect(65, "missing.safetensors: open: No such file")
  }

  @Test(
    .long,
    arguments: [
      ("optimizer.learning_rate=0.1", "'optimizer.learning_rate' is 0.1, but the run began with 0.001"),
      ("training.epochs=5", "'training.epochs' is 5, but the run began with 4"),
      ("icp.steps=3", "'icp.steps' is 3, but the run began with 2"),
      ("training.shards=4", "'training.shards' is 4, but the run began with 5"),
      ("model.kind=resnet20", "'model.kind' is resnet20, but the run began with resnet8"),
      ("data.limit=64", "'data.limit' is 64, but the run began with 70"),
      ("training.seed=1", "'training.seed' is 1, but the run began with 0"),
      ("kernels.convolution=openblas", "'kernels.convolution' is openblas, but the run began with onednn"),
      ("icp.precision=auto", "'icp.precision' is auto, but the run began with float32"),
    ])
  func `what sets the weights may not change on resume`(setting: String, says: String) throws {
    let tiny = try Self.stopped.get()
    let before = try tiny.checkpoint(2)
    try tiny.train([setting], resume: "auto").expect(65, "step-0000002.safetensors", says)
    #expect(try tiny.checkpoint(2) == before)
  }

  /// A run that stopped after step 2, for tests that do not change it.
  private static let stopped = Result {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"]).expect(0)
    return tiny
  }

  @Test func `a torn newest checkpoint is passed over, and that is said`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "unbroken").expect(0)
    try tiny.train(["training.max_steps=12"]).expect(0)
    try tiny.truncate(tiny.checkpointPath(12), to: 100_000)
    try tiny.flipBit(of: tiny.checkpointPath(10), at: -1)
    let outcome = try tiny.train(resume: "auto")
    outcome.expect(
      0, "skipped a checkpoint: run/checkpoints/step-0000012.safetensors: cut off",
      "skipped a checkpoint: run/checkpoints/step-0000010.safetensors: damaged: tensor")
    #expect(outcome.standardOutput.contains("step-0000005.safetensors, step 5"))
    #expect(try tiny.checkpoint(20) == tiny.checkpoint(20, of: "unbroken"))
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
  }

  @Test(.ranks) func `where all checkpoints are bad the run does not start over`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=6"]).expect(0)
    for step in [5, 6] { try tiny.truncate(tiny.checkpointPath(step), to: 5000) }
    for ranks in [nil, 2] as [Int?] {
      try tiny.train(resume: "auto", ranks: ranks).expect(
        65, "none of the 2 checkpoints can be used", "step-0000006.safetensors: cut off",
        "use --resume never to start over")
    }
    #expect(try tiny.records().last?.step == 6)
  }

  @Test func `the newest few are kept, and the best by the metric`() throws {
    let tiny = try TinyRun()
    try tiny.train(["checkpoint.keep=2", "data.validation=10", "training.epochs=5"]).expect(0)
    let epochs = try tiny.records().filter { $0.kind == "epoch" }
    let steps = epochs.map(\.step)
    #expect(steps == [4, 8, 12, 16, 20])
    #expect(
      try tiny.checkpoints() == ["best.safetensors", "step-0000016.safetensors", "step-0000020.safetensors"])
    // The first of the highest: a later one must be better to replace it.
    let accuracies = epochs.map { $0.number("validation_accuracy") ?? -1 }
    let best = steps[accuracies.firstIndex(of: accuracies.max()!)!]
    let shown = try tiny.command(["inspect", "run/checkpoints/best.safetensors"])
    shown.expect(0)
    #expect(shown.standardOutput.contains("  step: \(best)\n"))

    try tiny.train(["checkpoint.keep=1"], into: "by-loss").expect(0)
    let losses = try tiny.records(of: "by-loss").filter { $0.kind == "epoch" }
    let lowest = try #require(losses.min { $0.number("train_loss")! < $1.number("train_loss")! })
    #expect(try tiny.checkpoints(of: "by-loss") == ["best.safetensors", "step-0000020.safetensors"])
    let other = try tiny.command(["inspect", "by-loss/checkpoints/best.safetensors"])
    #expect(other.standardOutput.contains("  step: \(lowest.step)\n"))
  }
}
