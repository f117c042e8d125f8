import Formats
import Foundation
import TestSupport
import Testing

/// Normalisation, size and classes belong to a model: whatever lies in `data.path`, its figures are the same.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PreprocessingTests {
  static let configuration = """
    data: {format: idx, path: data, size: 12}
    model: {kind: mlp, hidden: [8]}
    training: {epochs: 2, batch_size: 16, shards: 2}
    icp: {steps: 1}
    distillation: {warmup: 0}
    """

  /// `images` of 14 x 14 in `classes` classes, whose brightness tells their class; `scale` 0 makes them black.
  private static func write(_ tiny: TinyRun, _ folder: String, training: Double?, classes: Int = 5) throws {
    try FileManager.default.createDirectory(atPath: tiny.path(folder), withIntermediateDirectories: true)
    for (name, count, scale) in [("train", 60, training), ("t10k", 40, 1)] {
      guard let scale else { continue }
      var images = Data([0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 14, 0, 0, 0, 14])
      for image in 0..<count {
        for pixel in 0..<196 {
          let value = image % classes * 40 + (pixel * 7 + image) % 60
          images.append(UInt8(scale * Double(value)))
        }
      }
      let labels = Data([0, 0, 8, 1, 0, 0, 0, UInt8(count)]) + Data((0..<count).map { UInt8($0 % classes) })
      try images.write(to: URL(fileURLWithPath: tiny.path("\(folder)/\(name)-images-idx3-ubyte")))
      try labels.write(to: URL(fileURLWithPath: tiny.path("\(folder)/\(name)-labels-idx1-ubyte")))
    }
  }

  private func trained(_ settings: [String] = []) throws -> TinyRun {
    let tiny = try TinyRun(Self.configuration)
    try Self.write(tiny, "data", training: 1)
    try Self.write(tiny, "black", training: 0)
    try Self.write(tiny, "test", training: nil)
    try tiny.train(settings).expect(0)
    return tiny
  }

  /// The same weights as PyTorch would have saved them.
  private func bare(_ tiny: TinyRun) throws -> String {
    let file = try SafetensorsFile(path: tiny.checkpointPath(8))
    let tensors = try file.tensors.filter { !$0.name.hasPrefix("optimizer.") }.map { try file.tensor($0.name) }
    try Data(SafetensorsWriter.encode(tensors: tensors)).write(to: URL(fileURLWithPath: tiny.path("bare")))
    return tiny.path("bare")
  }

  @Test(.ranks) func `the figures do not depend on the training images that lie there, nor on whether any do`() throws {
    let tiny = try trained()
    for command in [
      ["evaluate"], ["robustness", "--attack-samples", "9"], ["episodes", "--way", "3", "--queries", "4"],
    ] {
      var texts: Set<String> = []
      for (data, ranks) in [("data", nil), ("black", nil), ("test", nil), ("test", 2)] {
        let outcome = try tiny.command(
          [command[0], "tiny.yaml", "--weights", tiny.checkpointPath(8), "--json"] + command.dropFirst(),
          ["data.path=\(data)"], ranks: ranks)
        outcome.expect(0)
        #expect(outcome.standardError.isEmpty)
        texts.insert(outcome.standardOutput)
      }
      #expect(texts.count == 1, "\(command)")
    }
    // Without a word of size and classes in the configuration, too.
    try tiny.folder.write("data: {format: idx, path: test}\nmodel: {kind: mlp, hidden: [8]}\n", to: "short.yaml")
    let weights = ["--weights", tiny.checkpointPath(8), "--json"]
    let short = try tiny.command(["evaluate", "short.yaml"] + weights)
    short.expect(0)
    #expect(short.standardOutput == (try tiny.command(["evaluate", "run/config.yaml"] + weights).standardOutput))
  }

  @Test func `weights that do not tell are measured by the training images, with one warning`() throws {
    let tiny = try trained()
    let weights = ["--weights", try bare(tiny), "--json"]
    let own = try tiny.command(["evaluate", "tiny.yaml", "--weights", tiny.checkpointPath(8), "--json"])
    let told = try tiny.command(["evaluate", "tiny.yaml"] + weights)
    told.expect(0, "bare does not say how its images were normalised")
    #expect(told.standardOutput == own.standardOutput && told.standardError.split(separator: "\n").count == 1)
    let black = try tiny.command(["evaluate", "tiny.yaml"] + weights, ["data.path=black"])
    black.expect(0, "mean [0] and std [1] were computed")
    #expect(black.standardOutput != own.standardOutput)
    try tiny.command(["evaluate", "tiny.yaml"] + weights, ["data.path=test"])
      .expect(65, "with data.mean and data.std the test images suffice")
    // Given, nothing is left to be computed, nor to be said.
    let config = try String(contentsOfFile: tiny.path("run/config.yaml"), encoding: .utf8)
    let given = config.split(separator: "\n").filter { $0.hasPrefix("  mean:") || $0.hasPrefix("  std:") }
      .map { "data.\($0.drop { $0 == " " }.replacing(": ", with: "="))" }
    try #require(given.count == 2)
    let suffices = try tiny.command(["evaluate", "tiny.yaml"] + weights, given + ["data.path=test"])
    suffices.expect(0)
    #expect(suffices.standardOutput == own.standardOutput && suffices.standardError.isEmpty)
  }

  @Test(arguments: [
    ("data.mean=[0.25]", "'data.mean' is given as [0.25], but these weights were trained with [0."),
    ("data.std=[0.25]", "'data.std' is given as [0.25], but these weights were trained with [0."),
    ("data.size=14", "'data.size' is given as 14, but these weights were trained with 12"),
    ("data.classes=[1, 0]", "'data.classes' is given as [1, 0], but these weights were trained with 5"),
    ("model.classes=6", "'model.classes' is given as 6, but these weights were trained with 5"),
    ("data.channels=3", "'data.channels' is given as 3, but these weights were trained with 1"),
  ])
  func `a value that is given and is not the weights' is 65 with both`(setting: String, says: String) throws {
    let tiny = try trained()
    for command in ["evaluate", "robustness"] {
      try tiny.command([command, "tiny.yaml", "--weights", tiny.checkpointPath(8)], [setting]).expect(65, says)
    }
  }

  @Test func `classes that were chosen are chosen again, in their order`() throws {
    let tiny = try trained(["data.classes=[3, 1]"])
    let weights = ["--weights", tiny.checkpointPath(4), "--json"]
    let left = try tiny.command(["evaluate", "tiny.yaml"] + weights)
    left.expect(0)
    #expect(
      left.standardOutput
        == (try tiny.command(["evaluate", "tiny.yaml"] + weights, ["data.classes=[3, 1]"]).standardOutput))
    try tiny.command(["evaluate", "tiny.yaml"] + weights, ["data.classes=[1, 3]"])
      .expect(65, "'data.classes' is given as [1, 3], but these weights were trained with [3, 1]")
    // Features are of any class.
    try tiny.command(["episodes", "tiny.yaml", "--way", "3", "--queries", "4"] + weights, ["data.classes=[0, 2, 4]"])
      .expect(0)
  }

  @Test func `training from weights takes their values, and given ones hold with a warning`() throws {
    let tiny = try trained()
    let weights = "model.weights=\(tiny.checkpointPath(8))"
    func metadata(_ run: String) throws -> [String: String] {
      try SafetensorsFile(path: tiny.checkpointPath(1, of: run)).metadata.filter { $0.key.hasPrefix("preprocessing.") }
    }
    let own = try SafetensorsFile(path: tiny.checkpointPath(8)).metadata.filter { $0.key.hasPrefix("preprocessing.") }
    #expect(own.count == 5 && own["preprocessing.size"] == "12" && own["preprocessing.classes"] == "5")
    try tiny.folder.write(Self.configuration.replacing(", size: 12", with: ""), to: "tiny.yaml")
    let taken = try tiny.train([weights, "data.path=black", "training.max_steps=1"], into: "taken")
    taken.expect(0)
    #expect(try metadata("taken") == own && taken.standardError.isEmpty)
    let given = try tiny.train([weights, "data.mean=[0.5]", "training.max_steps=1"], into: "given")
    given.expect(0, "'data.mean' is given as [0.5], and holds, though ")
    try tiny.train([weights, "data.channels=3"], into: "colour").expect(
      65, "'data.channels' is given as 3, but these weights were trained with 1")
    #expect(try metadata("given")["preprocessing.mean"] == "[0.5]")
    #expect(try metadata("given")["preprocessing.std"] == own["preprocessing.std"])
    let untold = try tiny.train(
      ["model.weights=\(try bare(tiny))", "data.size=12", "training.max_steps=1"], into: "untold")
    untold.expect(0, "bare does not say how its images were normalised")
    // Numbers from weights are the run's from then on.
    try tiny.train([weights, "data.path=black"], into: "taken", resume: "auto").expect(0)
    #expect(
      try SafetensorsFile(path: tiny.checkpointPath(8, of: "taken")).metadata["preprocessing.mean"]
        == own["preprocessing.mean"])
  }

  @Test func `config.yaml holds the numbers, and resumes; other images are seen beside given numbers too`() throws {
    let tiny = try trained(["training.max_steps=4"])
    let config = try String(contentsOfFile: tiny.path("run/config.yaml"), encoding: .utf8)
    #expect(!config.contains("computed") && config.contains(/\n  mean: \[0\.\d+\]\n  std: \[0\.\d+\]\n/))
    try FileManager.default.copyItem(atPath: tiny.path("run"), toPath: tiny.path("other"))
    let resume = ["--resume", "auto", "--set", "training.max_steps=none"]
    try tiny.command(["train", "other/config.yaml", "--run-dir", "other"] + resume, ["data.path=black"])
      .expect(65, "'data.path' holds other data than the run began with")
    try tiny.command(["train", "run/config.yaml", "--run-dir", "run"] + resume).expect(0)
    try tiny.train(into: "whole").expect(0)
    #expect(try tiny.checkpoint(8) == tiny.checkpoint(8, of: "whole"))
  }

  @Test func `perturb takes the weights' pixel range, and refuses images of another size`() throws {
    let tiny = try trained()
    func write(size: Int) throws {
      let values = (0..<2 * size * size).map { (index: Int) -> Float in Float(index % 5) / 2 - 1 }
      let x = NamedTensor("x", shape: [2, 1, size, size], floats: values)
      let bytes = SafetensorsWriter.encode(tensors: [x, NamedTensor("y", shape: [2], integers: [0, 4])])
      try Data(bytes).write(to: URL(fileURLWithPath: tiny.path("in")))
    }
    func perturb(_ weights: String, _ settings: [String] = []) throws -> Program.Outcome {
      try tiny.command(
        ["perturb", "tiny.yaml", "--weights", weights, "--input", "in", "--output", "out"],
        settings + ["icp.clamp=pixels"])
    }
    try write(size: 12)
    try perturb(tiny.checkpointPath(8)).expect(0)
    try perturb(tiny.checkpointPath(8), ["data.mean=[0.25]", "data.std=[0.5]"]).expect(
      65, "'data.mean' is given as [0.25]")
    try perturb(bare(tiny)).expect(
      64, "icp.clamp: pixels needs data.mean and data.std here, since these weights do not tell")
    try write(size: 14)
    try perturb(tiny.checkpointPath(8)).expect(65, "its images are of size 12, x of in of 14")
  }

  @Test func `weights that hold a NaN are 65 in every command`() throws {
    let tiny = try trained()
    let file = try SafetensorsFile(path: bare(tiny))
    let broken = try file.tensors.map { info -> NamedTensor in
      var values = try file.floats(info.name)
      if info.name == "fc1.bias" { values[2] = .nan }
      return NamedTensor(info.name, shape: info.shape, floats: values)
    }
    try Data(SafetensorsWriter.encode(tensors: broken)).write(to: URL(fileURLWithPath: tiny.path("broken")))
    let says = "broken: fc1.bias: value 2 is nan, expected finite values"
    for command in ["evaluate", "robustness", "episodes"] {
      try tiny.command([command, "tiny.yaml", "--weights", "broken"]).expect(65, says)
    }
    try tiny.train(["model.weights=broken"], into: "never").expect(65, says)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("never")))
    // All finite, and useless: PyTorch's mean loss of these is 1e6 and more.
    let large = try file.tensors.map { info -> NamedTensor in
      let scale: Float = info.name.hasPrefix("fc") ? 1e4 : 1
      return NamedTensor(info.name, shape: info.shape, floats: try file.floats(info.name).map { $0 * scale })
    }
    try Data(SafetensorsWriter.encode(tensors: large)).write(to: URL(fileURLWithPath: tiny.path("large")))
    let outcome = try tiny.command(["evaluate", "tiny.yaml", "--weights", "large"])
    outcome.expect(0, "of a loss above 4096, which count as 4096: the mean is larger than the loss printed")
  }

  @Test func `another checkpoint.metric on resume starts the best anew, and one line says so`() throws {
    let tiny = try TinyRun(Self.configuration.replacing("size: 12", with: "size: 12, validation: 10"))
    try Self.write(tiny, "data", training: 1)
    try tiny.train(["training.max_steps=4", "checkpoint.metric=validation_accuracy"]).expect(0)
    func best() throws -> [String: String] {
      try SafetensorsFile(path: tiny.path("run/checkpoints/best.safetensors")).metadata
    }
    #expect(try best()["best_metric_name"] == "validation_accuracy")
    let outcome = try tiny.train(["checkpoint.metric=train_loss"], resume: "auto")
    outcome.expect(
      0, "checkpoint.metric is train_loss, but the best so far was chosen by 'validation_accuracy': best starts anew")
    #expect(outcome.standardError.split(separator: "\n").count == 1)
    let metadata = try best()
    #expect(metadata["best_metric_name"] == "train_loss" && metadata["step"] == "8" && metadata["best_metric"] != nil)
    #expect(try tiny.checkpoints().contains("best.safetensors.superseded"))
    #expect(try tiny.train(["checkpoint.metric=train_loss"], resume: "auto").standardError.isEmpty)
  }
}
