import Foundation
import TestSupport
import Testing

/// What a run says while it goes on, and evaluations within an epoch.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ConsoleTests {
  @Test func `an epoch ends with what the method did, and the progress line has the mean loss of the epoch so far`()
    throws
  {
    let tiny = try TinyRun()
    let outcome = try tiny.train()
    outcome.expect(0)
    let lines = outcome.standardOutput.split(separator: "\n").map(String.init)
    let method = lines.filter { $0.hasPrefix("  refinement ") }
    #expect(method.count == 4)
    let said = try #require(method.last)
    #expect(
      said.wholeMatch(
        of: #/  refinement \d+\.\d{3} > \d+\.\d{3}, moved 0\.\d+, distillation \d+\.\d % of the loss, alpha 0\.\d\d/#)
        != nil, "\(method)")
    // The mean over the epoch's steps, of which the last is of fewer images.
    let steps = try tiny.records().filter { $0.kind == "step" && $0.values["epoch"] as? Int == 3 }
    let start = try #require(Double(said.split(separator: " ")[1]))
    let mean = steps.compactMap { $0.number("loss_at_x0") }.reduce(0, +) / Double(steps.count)
    #expect(abs(start - mean) < 6e-4)
    let epoch = try #require(try tiny.records().last?.number("train_loss"))
    let shown = try #require(lines.last { $0.hasPrefix("epoch 4/4  step 20/20  loss ") })
    let loss = try #require(Double(shown.split(separator: "  ")[2].split(separator: " ")[1]))
    #expect(abs(loss - epoch) < 6e-5 && shown.contains("left 0:00/0:00"))
    let plain = try tiny.train(["icp.rule=none"], into: "plain")
    #expect(!plain.standardOutput.contains("refinement "))
  }

  @Test func `what to try next fits what was run, and is quoted`() throws {
    let tiny = try TinyRun()
    let settings = ["training.max_steps=2"]
    let first = try tiny.train(settings, into: "my run")
    for text in [
      " report 'my run'\n", " evaluate 'my run'\n", " train 'my run/config.yaml' --set icp.rule=none\n",
    ] {
      #expect(first.standardOutput.contains(text), "\(first.standardOutput)")
    }
    let second = try tiny.train(settings + ["icp.rule=none"], into: "plain")
    #expect(second.standardOutput.contains(" compare plain 'my run'\n"))
    #expect(second.standardOutput.contains(" report plain 'my run'\n"))
    #expect(!second.standardOutput.contains("--set icp.rule"))
    try tiny.command(["compare", "plain", "my run"]).expect(0)
    try tiny.command(["report", "plain", "my run"]).expect(0)
    #expect(FileManager.default.fileExists(atPath: tiny.path("report.html")))
  }

  @Test(.ranks) func `evaluations within epochs change no weight, and a resume makes those that are missing`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "without").expect(0)
    let settings = ["evaluation.every_steps=3", "checkpoint.every_steps=1"]
    let whole = try tiny.train(settings, into: "unbroken", ranks: 2)
    whole.expect(0)
    #expect(whole.standardOutput.contains("step 3:  test "))
    #expect(try tiny.tensors(20, of: "unbroken") == tiny.tensors(20, of: "without"))
    let evaluations = try tiny.records(of: "unbroken").filter { $0.kind == "evaluation" }
    // Not where an epoch ends, after steps 5, 10, 15 and 20.
    #expect(evaluations.map(\.step) == [3, 6, 9, 12, 18])
    #expect(evaluations.allSatisfy { $0.number("test_accuracy") != nil && $0.number("train_eval_loss") != nil })

    // The run ends at a step which is measured as a run's end, then as one within an epoch.
    try tiny.train(settings + ["training.max_steps=6"]).expect(0)
    try tiny.train(settings, resume: "auto", ranks: 3).expect(0)
    // And again, with a record that is there already.
    try FileManager.default.removeItem(atPath: tiny.checkpointPath(20))
    try FileManager.default.removeItem(atPath: tiny.checkpointPath(19))
    try tiny.train(settings, resume: "auto").expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "without"))
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
  }
}
