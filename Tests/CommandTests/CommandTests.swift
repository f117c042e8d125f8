import Formats
import Foundation
import TestSupport
import Testing

/// What the commands print and leave.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CommandTests {
  @Test(arguments: [
    [], ["train"], ["evaluate"], ["perturb"], ["inspect"], ["bench"], ["bench", "step"],
    ["bench", "kernels"], ["bench", "allreduce"], ["scale"], ["scale", "plan"], ["scale", "point"],
    ["scale", "probe"], ["scale", "report"], ["doctor"], ["robustness"], ["episodes"],
  ])
  func `help explains every command`(command: [String]) throws {
    let tiny = try TinyRun()
    for arguments in [command + ["--help"], ["help"] + command] {
      let outcome = try tiny.command(arguments)
      outcome.expect(0)
      #expect(outcome.standardOutput.hasPrefix("OVERVIEW: "))
      #expect(outcome.standardOutput.contains("USAGE: icp "))
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `a shell's completion is made`(shell: String) throws {
    let outcome = try Program.run(["--generate-completion-script", shell], timeLimit: 60)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("evaluate"))
  }

  @Test func `the version names us, MPI, the kernels and the instruction set`() throws {
    let outcome = try TinyRun().command(["--version"])
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains(
        /^icp \d+\.\d+\.\d+, Open MPI v[\d.]+, oneDNN [\d.]+, OpenBLAS [\d.]+, \S.*\n$/))
  }

  // MARK: train

  @Test(.ranks) func `a dry run prints configuration, layers and cost, and writes nothing`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(["icp.steps=5"], into: "run", ranks: 2, dryRun: true)
    outcome.expect(0)
    for text in [
      "distillation:\n  taps: of the model\n", "  learning_rate: 0.001\n", "layer1.0.conv1 ", "16x12x12", "77,754",
      "plain 3 forward passes' work", "cyclic 14 ", "4.7 times as much", "memory: about ",
      "70 training, 0 validation and 20 test images of 1x12x12, 10 classes", "4 epochs of 5 steps, 5 shards on 2 ranks",
      "Dry run: nothing was trained or written.",
    ] {
      #expect(outcome.standardOutput.contains(text), "\(text)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.folder.path) == ["tiny.yaml"])
    try tiny.train(["data.format=cifar10", "data.path=nowhere"], dryRun: true).expect(65, "nowhere")
    try tiny.train(["training.shards=1"], ranks: 2, dryRun: true).expect(64, "training.shards is 1")
  }

  @Test func `a run ends with its accuracy and where its files are, and config.yaml gives the same run`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train()
    outcome.expect(0)
    #expect(outcome.standardError.isEmpty)
    for text in [
      "resnet8 on glyphs, 70 training and 20 test images, rule adam, 1 rank, 5 shards, 20 steps",
      "bit-reproducible: yes", "epoch 4/4 done: train loss ", "Done.\n", "run directory  run\n",
      "checkpoint     run/checkpoints/step-0000020.safetensors", "What to try next:",
    ] {
      #expect(outcome.standardOutput.contains(text), "\(text)")
    }
    let accuracy = try #require(try tiny.records().last?.number("test_accuracy"))
    #expect(outcome.standardOutput.contains("test accuracy  \(Int((accuracy * 100).rounded())).00 %"))

    try tiny.command(["train", "run/config.yaml", "--run-dir", "again"]).expect(0)
    #expect(try tiny.checkpoint(20, of: "again") == tiny.checkpoint(20))
  }

  @Test func `without --run-dir a run goes to runs, named by its configuration and the time`() throws {
    let tiny = try TinyRun()
    try tiny.command(["train", "tiny.yaml"], ["training.max_steps=1"]).expect(0)
    let runs = try FileManager.default.contentsOfDirectory(atPath: tiny.path("runs"))
    #expect(runs.count == 1 && runs[0].wholeMatch(of: /tiny-\d{8}-\d{6}/) != nil)
  }

  @Test func `a run that is not reproducible says so, and why`() throws {
    let outcome = try TinyRun().train(["training.gradient_reduction=float32", "training.max_steps=1"])
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains("bit-reproducible: no, because training.gradient_reduction is float32"))
  }

  @Test func `training starts from weights of a file`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"], into: "first").expect(0)
    // At a learning rate of 0 the weights stay what they were.
    let weights = "model.weights=\(tiny.checkpointPath(2, of: "first"))"
    try tiny.train([weights, "optimizer.learning_rate=0", "training.max_steps=1"], into: "second").expect(0)
    let (first, second) = try (tiny.tensors(2, of: "first"), tiny.tensors(1, of: "second"))
    for name in ["conv1.weight", "layer3.0.conv2.weight", "fc.bias"] { #expect(first[name] == second[name]) }
  }

  // MARK: Records

  @Test func `step records hold the promised fields, null during warm-up`() throws {
    let tiny = try TinyRun()
    try tiny.train(["distillation.warmup=0.5", "logging.every_steps=3"]).expect(0)
    let steps = try tiny.records().filter { $0.kind == "step" }
    #expect(steps.map(\.step) == [3, 6, 9, 12, 15, 18])
    #expect(steps.compactMap { $0.values["epoch"] as? Int } == [0, 1, 1, 2, 2, 3])
    let always = ["task_loss", "total_loss", "alpha", "gradient_norm", "learning_rate", "images_per_second"]
    let cyclic = ["distillation_loss", "perturbation", "loss_at_x0", "loss_at_xT"]
    for record in steps {
      for key in always { #expect(record.number(key) != nil, "\(key) at step \(record.step)") }
      for key in cyclic where record.step <= 10 { #expect(record.isNull(key), "\(key) at step \(record.step)") }
      for key in cyclic where record.step > 10 { #expect(record.number(key) != nil, "\(key) at step \(record.step)") }
      if record.step <= 10 {
        #expect(record.number("alpha") == 1)
        #expect(record.number("total_loss") == record.number("task_loss"))
      } else {
        let (alpha, task) = (record.number("alpha")!, record.number("task_loss")!)
        let total = alpha * task + (1 - alpha) * record.number("distillation_loss")!
        // The same double-precision sum, perhaps in another order.
        #expect(abs(record.number("total_loss")! - total) < 1e-12)
        #expect(record.number("loss_at_xT")! < record.number("loss_at_x0")!)
        #expect(record.number("perturbation")! > 0)
      }
    }
    for record in try tiny.records() where record.kind == "epoch" {
      for key in ["train_accuracy", "test_accuracy", "test_f1"] { #expect((0...1).contains(record.number(key)!)) }
      for key in ["train_loss", "test_loss", "seconds"] { #expect(record.number(key)! > 0) }
      #expect(record.values["validation_loss"] == nil)
    }
  }

  /// The total falls with alpha whatever is learnt; so the two must differ, or the test would tell nothing. The last
  /// batch of an epoch has 6 images, the others 16.
  @Test func `the console's loss is the task's, the mean of the epoch so far`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(["training.label_smoothing=0.1"])
    outcome.expect(0)
    let shown = outcome.standardOutput.matches(of: #/step +(\d+)/20 +loss (\d+\.\d{4}) /#).map { (Int($0.1)!, $0.2) }
    let steps = try tiny.records().filter { $0.kind == "step" }
    #expect(shown.map(\.0) == Array(1...20))
    for ((_, loss), record) in zip(shown, steps) {
      let epoch = steps.filter {
        $0.values["epoch"] as? Int == record.values["epoch"] as? Int && $0.step <= record.step
      }
      let images = epoch.map { $0.step % 5 == 0 ? 6.0 : 16 }
      let sum = zip(epoch, images).reduce(0) { $0 + $1.0.number("task_loss")! * $1.1 }
      // Four digits are shown.
      #expect(abs(try #require(Double(loss)) - sum / images.reduce(0, +)) < 6e-5)
    }
    #expect(steps.contains { abs($0.number("task_loss")! - $0.number("total_loss")!) > 0.01 })
  }

  @Test func `records of plain training are null where there is no refinement`() throws {
    let tiny = try TinyRun()
    try tiny.train(["icp.rule=none", "training.max_steps=2", "data.validation=0.1"]).expect(0)
    let records = try tiny.records()
    for record in records where record.kind == "step" {
      for key in ["distillation_loss", "perturbation", "loss_at_x0", "loss_at_xT"] { #expect(record.isNull(key)) }
      #expect(record.number("alpha") == 1)
    }
    let epoch = try #require(records.last)
    for key in ["validation_loss", "validation_accuracy", "validation_f1"] { #expect(epoch.number(key) != nil) }
  }

  // MARK: inspect and evaluate

  @Test func `inspect lists a checkpoint and verifies it, and a flipped byte is WRONG and 65`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"]).expect(0)
    let good = try tiny.command(["inspect", tiny.checkpointPath(1)])
    good.expect(0)
    for text in [
      "  step: 1\n", "  epoch: 0\n", "  position: 1\n", "  seed: 0\n", "  format_version: 1\n", "  versions: icp ",
      "conv1.weight ", "[16, 1, 3, 3]", "optimizer.exp_avg_sq.fc.bias ", "checksums: verified\n",
    ] {
      #expect(good.standardOutput.contains(text), "\(text)")
    }
    // The index of a model in parts: each of them.
    try FileManager.default.copyItem(atPath: tiny.checkpointPath(1), toPath: tiny.path("a.safetensors"))
    try tiny.folder.write(#"{"weight_map": {"fc.bias": "a.safetensors"}}"#, to: "model.safetensors.index.json")
    let parts = try tiny.command(["inspect", "model.safetensors.index.json"])
    parts.expect(0)
    #expect(parts.standardOutput.hasPrefix("./a.safetensors\n") && parts.standardOutput.contains("conv1.weight "))
    try tiny.flipBit(of: tiny.checkpointPath(1), at: -1000)
    let bad = try tiny.command(["inspect", tiny.checkpointPath(1)])
    bad.expect(65, "damaged: tensor '")
    #expect(bad.standardOutput.hasSuffix("checksums: WRONG\n"))
  }

  /// One bit makes `"checksum"` another word: that is no file without checksums.
  @Test func `a checkpoint whose checksum has lost its name is damaged`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"]).expect(0)
    let bytes = try #require(FileManager.default.contents(atPath: tiny.checkpointPath(1)))
    let place = try #require(bytes.range(of: Data(#""checksum":"#.utf8)))
    try tiny.flipBit(of: tiny.checkpointPath(1), at: place.lowerBound + 1)
    try tiny.command(["inspect", tiny.checkpointPath(1)]).expect(65, "damaged: the header carries no checksum")
    try tiny.command(["evaluate", "tiny.yaml", "--weights", tiny.checkpointPath(1)])
      .expect(65, "damaged: the header carries no checksum")
  }

  @Test func `evaluate prints figures and a line a class, and takes PyTorch's weights`() throws {
    let tiny = try TinyRun()
    let golden = try Golden(fixture: "resnet8_pad")
    try golden.writeWeights(to: tiny.path("weights"))
    let outcome = try tiny.command(
      ["evaluate", "tiny.yaml", "--weights", "weights"], ["model.shortcut=pad"])
    outcome.expect(0)
    for text in ["samples: 20\n", "accuracy: ", "loss: ", "precision: ", "recall: ", "F1: ", "calibration error: "] {
      #expect(outcome.standardOutput.contains(text), "\(text)")
    }
    #expect(outcome.standardOutput.contains(/\n *9 +2 +\d/))
    let inspected = try tiny.command(["inspect", "weights"])
    inspected.expect(0)
    #expect(inspected.standardOutput.hasSuffix("checksums: none in this file\n"))
  }
}
