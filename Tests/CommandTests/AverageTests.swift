import Foundation
import TestSupport
import Testing

/// `training.ema`: the average beside the weights, in runs and in the commands that take weights.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AverageTests {
  private static let settings = ["training.ema=0.9", "data.validation=10", "checkpoint.metric=validation_accuracy_ema"]

  @Test(.ranks) func `the same bits at any number of ranks and over a resume, and no other weights`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.settings, into: "alone").expect(0)
    let expected = try tiny.tensors(16, of: "alone")
    for ranks in [2, 3] {
      let run = "at\(ranks)"
      try tiny.train(Self.settings, into: run, ranks: ranks).expect(0)
      #expect(try tiny.checkpoint(16, of: run) == tiny.checkpoint(16, of: "alone"))
      #expect(try tiny.records(of: run).map(\.timeless) == tiny.records(of: "alone").map(\.timeless))
    }
    try tiny.train(Self.settings + ["training.max_steps=6"], into: "cut", ranks: 3).expect(0)
    try tiny.train(Self.settings, into: "cut", resume: "auto", ranks: 2).expect(0)
    #expect(try tiny.tensors(16, of: "cut") == expected)
    #expect(try tiny.records(of: "cut").map(\.timeless) == tiny.records(of: "alone").map(\.timeless))

    try tiny.train(["data.validation=10"], into: "without").expect(0)
    let weights = expected.filter { !$0.key.hasPrefix("ema.") }
    #expect(try tiny.tensors(16, of: "without") == weights)
    let averages = expected.keys.filter { $0.hasPrefix("ema.") }
    #expect(Set(averages) == Set(weights.keys.filter { !$0.hasPrefix("optimizer.") }.map { "ema.\($0)" }))
    #expect(averages.contains("ema.bn1.running_var") && expected["ema.fc.weight"] != expected["fc.weight"])
  }

  @Test func `is measured each epoch, and the metric that names it chooses the best`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(Self.settings)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains(" (ema ") && outcome.standardOutput.contains(" % (training.ema)"))
    let epochs = try tiny.records().filter { $0.kind == "epoch" }
    for name in ["test_accuracy", "test_loss", "test_f1", "validation_accuracy", "validation_loss", "validation_f1"] {
      #expect(epochs.allSatisfy { $0.number("\(name)_ema") != nil }, "\(name)_ema")
    }
    #expect(epochs.contains { $0.number("test_loss_ema") != $0.number("test_loss") })
    let scores = epochs.map { $0.number("validation_accuracy_ema") ?? -1 }
    let best = try #require(scores.indices.first { scores[$0] == scores.max() })
    let inspected = try tiny.command(["inspect", "run/checkpoints/best.safetensors"])
    inspected.expect(0)
    #expect(inspected.standardOutput.contains("  step: \(epochs[best].step)\n"))
    let last = try tiny.command(["inspect", tiny.checkpointPath(16)])
    #expect(last.standardOutput.contains("best_metric_name: validation_accuracy_ema"))
  }

  @Test func `every command takes it by --weights-kind, and says which it took`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.ema=0.9", "training.max_steps=10"]).expect(0)
    let last = try #require(try tiny.records().last)
    for (kind, suffix, says) in [
      ("plain", "", "the weights of its step are taken, not their average (--weights-kind ema)"),
      ("ema", "_ema", "the average of the weights is taken (--weights-kind ema)"),
    ] {
      let outcome = try tiny.command(["evaluate", "run", "--weights-kind", kind, "--json"])
      outcome.expect(0, says)
      let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8))
      let json = try #require(object as? [String: Any])
      for name in ["accuracy", "loss", "f1"] {
        #expect(json[name] as? Double == last.number("test_\(name)\(suffix)"), "\(name) of \(kind)")
      }
    }
    let (robustness, episodes) = (
      try tiny.command(["robustness", "run", "--weights-kind", "ema", "--only", "corruptions"]),
      try tiny.command(["episodes", "run", "--weights-kind", "ema", "--queries", "1", "--way", "2"])
    )
    for outcome in [robustness, episodes] { outcome.expect(0, "the average of the weights is taken") }

    // The page measures it, and the exported file is it: its figures are the average's.
    let reported = try tiny.command(["report", "run", "--weights-kind", "ema", "--output", "page.html"])
    reported.expect(0, "the average of the weights is taken (--weights-kind ema)")
    let page = try String(contentsOfFile: tiny.path("page.html"), encoding: .utf8)
    #expect(page.contains("test images by the average of the weights in run/checkpoints/step-0000010.safetensors"))
    for (kind, suffix, says) in [
      ("plain", "", "the weights of its step are taken"), ("ema", "_ema", "the average of the weights is taken"),
    ] {
      try tiny.command(["export", "run", "--training", "--onnx", "\(kind).onnx", "--weights-kind", kind])
        .expect(0, says)
      let outcome = try tiny.command(
        ["evaluate", "tiny.yaml", "--weights", "\(kind).onnx", "--json"],
        ["model.kind=onnx", "model.path=\(kind).onnx"])
      outcome.expect(0)
      let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8))
      let loss = try #require((object as? [String: Any])?["loss"] as? Double)
      // The same kernels, but for what two nodes do in place of one.
      #expect(abs(loss - (try #require(last.number("test_loss\(suffix)")))) < 1e-5 * loss, "\(kind)")
    }

    // A run that starts from it begins with its bits.
    let start = ["model.weights=\(tiny.checkpointPath(10))", "model.weights_kind=ema", "optimizer.learning_rate=0"]
    try tiny.train(start + ["training.max_steps=1", "optimizer.weight_decay=0"], into: "next")
      .expect(0, "the average of the weights is taken (model.weights_kind: ema)")
    #expect(try tiny.tensors(1, of: "next")["fc.weight"] == tiny.tensors(10)["ema.fc.weight"])
    for command in [["evaluate", "next"], ["report", "next"], ["export", "next", "--onnx", "next.onnx"]] {
      try tiny.command(command + ["--weights-kind", "ema"])
        .expect(65, "there is no average of the weights in it (no ema.*)")
    }
  }

  @Test func `a run may begin or end its average where it goes on, and says so`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "unbroken").expect(0)
    try tiny.train(["training.max_steps=6"]).expect(0)
    let on = ["training.ema=0.9"]
    try tiny.train(on + ["training.max_steps=12"], resume: "auto")
      .expect(0, "has no average of the weights (training.ema): it begins with those of step 6")
    #expect(try tiny.tensors(12).keys.contains("ema.fc.weight"))
    try tiny.train(resume: "auto").expect(
      0, "has an average of the weights, which ends here, since training.ema is none")
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
  }

  @Test func `what needs an average is refused without one`() throws {
    let tiny = try TinyRun()
    try tiny.train(["data.validation=10", "checkpoint.metric=validation_accuracy_ema"])
      .expect(64, "'checkpoint.metric' is validation_accuracy_ema, but 'training.ema' is none")
    try tiny.train(["training.ema=1"]).expect(64, "key 'training.ema': expected none or a number > 0 and < 1, got 1")
    try tiny.train(["training.ema=0.99999999"]).expect(64, "float32 rounds it to 1")
  }
}
