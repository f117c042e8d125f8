import Foundation
import TestSupport
import Testing

/// Dropout in whole steps: one mask for each (seed, epoch, sample, node's name), so the same in all passes of a step
/// that are compared, and none in refinement and evaluation.
@Suite(.serialized, .timeLimit(.minutes(2))) struct `Dropout in a run` {
  private func record(_ tiny: TinyRun, _ run: String = "run") throws -> Record {
    try #require(try tiny.records(of: run).first { $0.kind == "step" })
  }

  @Test func `student and target pass have the same mask`() throws {
    let tiny = try TinyRun()
    // Without a refinement both passes see the same images; the target's statistics are the batch's, as the
    // student's.
    try tiny.train([
      "model.dropout=0.5", "icp.steps=0", "distillation.taps=[dropout, logits]", "training.max_steps=1",
    ]).expect(0)
    #expect(try record(tiny).number("distillation_loss") == 0)
    // The logits are where the task's gradient begins, too.
    #expect(try record(tiny).number("gradient_norm")! > 0.1)
  }

  @Test func `both passes of SAM have the same mask`() throws {
    let tiny = try TinyRun()
    // So little a way up that no weight changes.
    let settings = ["model.dropout=0.5", "icp.rule=none", "training.max_steps=3"]
    try tiny.train(settings, into: "plain").expect(0)
    try tiny.train(settings + ["optimizer.sam_rho=1e-30"], into: "sam").expect(0)
    #expect(try tiny.tensors(3, of: "sam") == tiny.tensors(3, of: "plain"))
  }

  @Test func `refinement and evaluation drop nothing`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"], into: "without").expect(0)
    try tiny.train(["training.max_steps=1", "model.dropout=0.5"], into: "with").expect(0)
    // Dropout comes last, so that the student pass moves the statistics alike.
    let (without, with) = (try record(tiny, "without"), try record(tiny, "with"))
    for key in ["loss_at_x0", "loss_at_xT", "perturbation"] {
      #expect(with.number(key) != nil && with.number(key) == without.number(key), "\(key)")
    }
    #expect(with.number("task_loss") != without.number("task_loss"))

    let evaluate = ["evaluate", "tiny.yaml", "--weights", tiny.checkpointPath(1, of: "with"), "--json"]
    let alone = try tiny.command(evaluate)
    alone.expect(0)
    #expect(try tiny.command(evaluate, ["model.dropout=0.5"]).standardOutput == alone.standardOutput)
  }
}
