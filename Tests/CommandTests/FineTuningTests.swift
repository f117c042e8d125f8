import Foundation
import TestSupport
import Testing

/// `model.freeze` and `optimizer.multipliers` in runs.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FineTuningTests {
  private static let freeze = ["model.freeze=[conv1, bn1, layer1, layer2]"]
  private static let settings =
    freeze + [
      "model.freeze_statistics=true", "optimizer.multipliers={fc: 4, layer3.0.conv1: 0.5}", "training.epochs=2",
      "model.head=new", "training.class_weights=balanced",
    ]

  @Test(.ranks) func `the same bits at 1 to 4 ranks and over a resume; what is frozen is the start's`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=3"], into: "first").expect(0)
    let settings = Self.settings + ["model.weights=\(tiny.checkpointPath(3, of: "first"))"]
    try tiny.train(settings, into: "alone").expect(0)
    let expected = try tiny.tensors(10, of: "alone")
    for ranks in 2...4 {
      try tiny.train(settings, into: "at\(ranks)", ranks: ranks).expect(0)
      #expect(try tiny.tensors(10, of: "at\(ranks)") == expected, "\(ranks) ranks")
    }
    try tiny.train(settings + ["training.max_steps=4"], into: "cut", ranks: 2).expect(0)
    try tiny.train(settings, into: "cut", resume: "auto").expect(0)
    #expect(try tiny.tensors(10, of: "cut") == expected)
    let start = try tiny.tensors(3, of: "first")
    for name in ["conv1.weight", "bn1.running_mean", "layer1.0.bn2.running_var", "layer2.0.downsample.0.weight"] {
      #expect(expected[name] == start[name], "\(name)")
    }
    for name in ["layer3.0.conv1.weight", "layer3.0.bn1.running_mean", "fc.bias"] {
      #expect(expected[name] != start[name], "\(name)")
    }
    // Another freeze is another run.
    let changed = settings.filter { !$0.hasPrefix("model.freeze=") } + ["model.freeze=[conv1, bn1]"]
    try tiny.train(changed, into: "cut", resume: "auto").expect(
      65, "'model.freeze' is [\"conv1\", \"bn1\"], but the run began with")
    // Statistics of frozen layers move unless they are fixed, too.
    try tiny.train(
      Self.freeze + ["model.weights=\(tiny.checkpointPath(3, of: "first"))", "training.max_steps=1"], into: "moving"
    ).expect(0)
    let moving = try tiny.tensors(1, of: "moving")
    #expect(moving["layer1.0.bn1.weight"] == start["layer1.0.bn1.weight"])
    #expect(moving["layer1.0.bn1.running_mean"] != start["layer1.0.bn1.running_mean"])
  }

  @Test(.ranks) func `patience ends a run at the same step at any number of ranks, over a resume too`() throws {
    let tiny = try TinyRun()
    let settings = [
      "data.validation=20", "training.patience=2", "training.epochs=40", "training.class_weights=balanced",
      "optimizer.learning_rate=0.02", "checkpoint.every_epochs=none", "checkpoint.keep=1",
    ]
    let alone = try tiny.train(settings, into: "alone")
    alone.expect(0)
    #expect(alone.standardOutput.contains("training.patience: no better validation_accuracy than"))
    let epochs = try tiny.records(of: "alone").filter { $0.kind == "epoch" }
    let scores = epochs.map { $0.number("validation_accuracy") ?? -1 }
    let best = try #require(scores.indices.first { scores[$0] == scores.max() })
    #expect(epochs.count < 40 && epochs.count == best + 1 + 2, "\(scores)")
    let last = epochs[epochs.count - 1].step
    for (run, ranks) in [("at2", 2), ("cut", 1)] {
      if run == "cut" {
        try tiny.train(settings + ["training.max_steps=\(last - 5)"], into: run, ranks: 2).expect(0)
        try tiny.train(settings, into: run, resume: "auto").expect(0)
      } else {
        try tiny.train(settings, into: run, ranks: ranks).expect(0)
      }
      #expect(try tiny.tensors(last, of: run) == tiny.tensors(last, of: "alone"), "\(run)")
      #expect(try tiny.records(of: run).filter { $0.kind == "epoch" }.count == epochs.count)
    }
    // What has ended stays so.
    try tiny.train(settings, into: "alone", resume: "auto").expect(0)
    #expect(try tiny.records(of: "alone").filter { $0.kind == "epoch" }.count == epochs.count)
    try tiny.train(["training.patience=2"], into: "none").expect(
      64, "'training.patience' is given, but 'checkpoint.metric'")
  }

  @Test func `a prefix that names nothing is refused, with the nearest; so is freezing all`() throws {
    let tiny = try TinyRun()
    try tiny.train(["model.freeze=[conv1, layr1]"])
      .expect(64, "model.freeze: no parameter's name begins with 'layr1'; did you mean 'layer1'?")
    try tiny.train(["optimizer.multipliers={head: 2}"])
      .expect(
        64, "optimizer.multipliers: no parameter's name begins with 'head'; this model's begin with conv1, bn1, layer1")
    try tiny.train(["model.freeze=[conv1, bn1, layer1, layer2, layer3, fc]"]).expect(64, "nothing is left to train")
    try tiny.train(["model.freeze_statistics=true"]).expect(
      64, "'model.freeze_statistics' is true, but 'model.freeze' is []")
    try tiny.train(["optimizer.multipliers={fc: 0}"]).expect(64, "key 'optimizer.multipliers': expected a mapping of")
    try tiny.train(["training.class_weights=[1, 2]"])
      .expect(64, "training.class_weights has 2 entries, expected 10, one a class of the network")
    let outcome = try tiny.train(Self.freeze, dryRun: true)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("of them trained"), "\(outcome.standardOutput)")
  }
}
