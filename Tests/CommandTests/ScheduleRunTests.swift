import Foundation
import TestSupport
import Testing

/// Learning rates that depend on what came before, and runs that go on after their end.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScheduleRunTests {
  /// 50 images to train on, 4 steps an epoch, and a rate at which nothing is learned at first.
  private static let plateau = [
    "schedule.kind=plateau", "schedule.metric=validation_accuracy", "schedule.patience=0", "schedule.gamma=0.5",
    "data.validation=20", "training.epochs=8",
    "optimizer.learning_rate=0.05", "checkpoint.keep=50",
  ]

  @Test(.ranks) func `plateau drops the rate at the same steps at any number of ranks, over a resume too`() throws {
    let tiny = try TinyRun()
    let alone = try tiny.train(Self.plateau, into: "alone")
    alone.expect(0)
    let records = try tiny.records(of: "alone")
    let rates = records.filter { $0.kind == "step" }.map { $0.number("learning_rate") ?? -1 }
    let scores = records.filter { $0.kind == "epoch" }.map { $0.number("validation_accuracy") ?? -1 }
    #expect(rates.count == 32 && scores.count == 8)
    var (best, rate) = (0.0, 0.05)
    for epoch in 0..<8 {
      #expect(rates[4 * epoch..<4 * epoch + 4].allSatisfy { abs($0 - rate) < 1e-12 }, "epoch \(epoch)")
      if scores[epoch] > best * (1 + 1e-4) { best = scores[epoch] } else { rate *= 0.5 }
    }
    #expect(rate < 0.05, "the rate never dropped: \(scores)")
    #expect(alone.standardOutput.contains("schedule.kind: plateau: no better validation_accuracy than"))
    // Within an epoch, at the end of one, and by other ranks.
    for (run, stop) in [("within", 14), ("end", 16), ("late", 31)] {
      try tiny.train(Self.plateau + ["training.max_steps=\(stop)"], into: run, ranks: 2).expect(0)
      try tiny.train(Self.plateau, into: run, resume: "auto").expect(0)
      #expect(try tiny.tensors(32, of: run) == tiny.tensors(32, of: "alone"), "\(run)")
      #expect(try tiny.records(of: run).map(\.timeless) == records.map(\.timeless), "\(run)")
    }
  }

  @Test func `what plateau watches is the validation split, at every epoch`() throws {
    let tiny = try TinyRun()
    try tiny.train(["schedule.kind=plateau"]).expect(64, "it watches the validation split")
    try tiny.train(Self.plateau + ["training.max_steps=2"]).expect(0)
    // It moves weights, so a resume may not change it.
    try tiny.train(Self.plateau + ["schedule.metric=validation_loss"], resume: "auto")
      .expect(65, "'schedule.metric' is validation_loss, but the run began with validation_accuracy")
    try tiny.train(Self.plateau + ["schedule.metric=test_loss"], resume: "auto").expect(64, "key 'schedule.metric'")
  }

  @Test(.ranks) func `a run that has ended goes on to more epochs, and says what that is`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.epochs=2"]).expect(0)
    try tiny.train(["training.epochs=2"], resume: "auto", more: ["--extend", "1"])
      .expect(64, "is of a run of 2 epochs already")
    let more = ["--extend", "4"]
    let settings = ["training.epochs=2", "training.max_steps=13"]
    let first = try tiny.train(settings, ranks: 2, more: more)
    first.expect(0)
    #expect(
      first.standardOutput.contains(
        "extended after epoch 2: learning rate and alpha go on as a run of 4 epochs has them; the weights are not the bits of"
      ))
    // A start that is repeated, as after a kill, extends nothing more.
    try tiny.train(["training.epochs=2"], resume: "auto", more: more).expect(0)
    let epochs = try tiny.records().filter { $0.kind == "epoch" }
    #expect(epochs.count == 4 && epochs.last?.step == 20)
    let rates = try tiny.records().filter { $0.kind == "step" }.map { $0.number("learning_rate") ?? -1 }
    // The cosine of 2 epochs, then that of 4.
    for step in 0..<20 {
      let whole = step < 10 ? 10.0 : 20.0
      #expect(abs(rates[step] - 1e-3 * (1 + cos(.pi * Double(step) / whole)) / 2) < 1e-12, "step \(step)")
    }
    let text = try String(contentsOfFile: tiny.path("run/config.yaml"), encoding: .utf8)
    #expect(text.contains("  epochs: 4\n"))

    // The same in one go after the end.
    try tiny.train(["training.epochs=2"], into: "other").expect(0)
    try tiny.train(["training.epochs=2"], into: "other", more: more).expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "other"))
    try tiny.train(["training.epochs=4"], into: "whole").expect(0)
    #expect(try tiny.tensors(20) != tiny.tensors(20, of: "whole"))
  }

  @Test func `what cannot be extended is refused`() throws {
    let tiny = try TinyRun()
    try tiny.train(more: ["--extend", "9"]).expect(64, "--extend 9: there is no run to go on with")
    try tiny.train(["training.max_steps=7"]).expect(0)
    try tiny.train(more: ["--extend", "9"]).expect(64, "has not come to its end, after 1 of 4 epochs")
    try tiny.train(resume: "never", more: ["--extend", "9"]).expect(64, "without --resume never")
    try tiny.command(["train", "tiny.yaml", "--extend", "9"]).expect(64, "name it with --run-dir")
  }

  @Test(.ranks) func `find-rate suggests a rate between the ends, the same at any number of ranks, and writes no run`()
    throws
  {
    let tiny = try TinyRun()
    let outcome = try tiny.command(["find-rate", "tiny.yaml", "--plot", "rates.svg"])
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("suggested: optimizer.learning_rate="))
    #expect(outcome.standardOutput.contains("there the smoothed loss falls fastest"))
    let plot = try String(contentsOfFile: tiny.path("rates.svg"), encoding: .utf8)
    #expect(plot.hasPrefix("<svg") && plot.contains(">suggested<") && plot.contains(">0.001<"))
    #expect(!FileManager.default.fileExists(atPath: tiny.path("runs")))

    let one = try tiny.command(["find-rate", "tiny.yaml", "--json"])
    one.expect(0)
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(one.standardOutput.utf8)) as? [String: Any])
    let suggested = try #require(found["suggested"] as? Double)
    #expect(1e-5 < suggested && suggested < 0.5)
    #expect(try tiny.command(["find-rate", "tiny.yaml", "--json"], ranks: 2).standardOutput == one.standardOutput)

    try tiny.command(["find-rate", "tiny.yaml", "--from", "1", "--to", "0.1"]).expect(64, "expected 0 < from < to")
    try tiny.command(["find-rate", "tiny.yaml", "--plot", "tiny.yaml"]).expect(64, "is the configuration")
    let flat = try tiny.command(["find-rate", "tiny.yaml", "--from", "1e-12", "--to", "1e-9", "--steps", "20"])
    flat.expect(0)
    #expect(flat.standardOutput.contains("no suggestion: the loss hardly fell in "))
  }
  @Test(.ranks) func `find-rate keeps what a run keeps of its images from epoch to epoch, on every rank`() throws {
    let tiny = try TinyRun()
    // 30 steps are 6 epochs; images change ranks between them.
    let find = ["find-rate", "tiny.yaml", "--json", "--steps", "30"]
    let plain = try tiny.command(find, ["icp.rule=none"])
    let one = try tiny.command(find, ["icp.rule=none", "training.elr=3"])
    one.expect(0)
    #expect(one.standardOutput != plain.standardOutput)
    #expect(try tiny.command(find, ["icp.rule=none", "training.elr=3"], ranks: 2).standardOutput == one.standardOutput)
  }
}
