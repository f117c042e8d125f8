import Formats
import Foundation
import TestSupport
import Testing

/// Commands that take RUN in the place of a configuration and weights.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TrainedRunCommandTests {
  @Test(.ranks) func `every command takes a run as it takes its configuration and weights`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=6"]).expect(0)
    let note = "icp: run: takes run/checkpoints/step-0000006.safetensors, the newest (step 6)\n"
    let pair = ["run/config.yaml", "--weights", "run/checkpoints/step-0000006.safetensors"]
    for (command, options) in [
      ("evaluate", ["--json"]), ("robustness", ["--only", "corruptions", "--json"]),
      ("episodes", ["--way", "2", "--queries", "1", "--episodes", "20", "--json"]),
    ] {
      let short = try tiny.command([command, "run"] + options)
      short.expect(0)
      #expect(short.standardError == note)
      let long = try tiny.command([command] + pair + options)
      #expect(long.standardError.isEmpty && long.standardOutput == short.standardOutput, "\(command)")
    }
    let two = try tiny.command(["evaluate", "run", "--json"], ranks: 2)
    #expect(two.standardOutput == (try tiny.command(["evaluate"] + pair + ["--json"])).standardOutput)
    #expect(two.standardError.contains(note))

    let inspected = try tiny.command(["inspect", "run", "--checkpoint", "best"])
    inspected.expect(0)
    #expect(inspected.standardOutput.hasPrefix("run/checkpoints/best.safetensors\n"))
    try tiny.command(["evaluate", "run", "--weights", "w"]).expect(64, "a run has weights of its own")
    try tiny.command(["evaluate", "tiny.yaml"]).expect(64, "needs --weights FILE")
    try tiny.command(["evaluate", "none"], ranks: 2).expect(64, "no such file or directory")
  }

  @Test func `perturb takes a run`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"]).expect(0)
    let images = [
      NamedTensor("x", shape: [3, 1, 12, 12], floats: (0..<432).map { Float($0 % 7) / 7 }),
      NamedTensor("y", shape: [3], integers: [0, 1, 2]),
    ]
    try tiny.folder.write(SafetensorsWriter.encode(tensors: images), to: "in")
    let outcome = try tiny.command(["perturb", "run", "--input", "in", "--output", "out"])
    outcome.expect(0)
    #expect(outcome.standardError.contains("the newest (step 1)"))
    try tiny.command([
      "perturb", "tiny.yaml", "--weights", tiny.checkpointPath(1), "--input", "in", "--output", "same",
    ]).expect(0)
    #expect(try Data(contentsOf: URL(filePath: tiny.path("out"))) == Data(contentsOf: URL(filePath: tiny.path("same"))))
  }

  @Test func `evaluate's JSON names the classes, where the data does`() throws {
    let tiny = try TinyRun(
      """
      data: {path: set}
      model: {kind: resnet8}
      training: {max_steps: 2, batch_size: 4, shards: 1}
      icp: {steps: 1}
      """)
    try PictureFolders.write(["<script>", "b & c"], to: tiny.path("set"))
    try tiny.train().expect(0)
    let outcome = try tiny.command(["evaluate", "run", "--json"])
    outcome.expect(0)
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
    #expect(json["class_names"] as? [String] == ["<script>", "b & c"])
    let classes = try #require(json["per_class"] as? [[String: Any]])
    #expect(classes.compactMap { $0["name"] as? String } == ["<script>", "b & c"])
  }
}
