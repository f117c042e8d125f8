import Checkpointing
import Formats
import Foundation
import TestSupport
import Testing

/// A run's files never come to hold less, or worse, than they did.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SafetyTests {
  @Test func `weights that are not finite are never saved`() throws {
    let tiny = try TinyRun()
    // The gradient of the first step is finite; only the step it takes is not.
    let settings = ["optimizer.learning_rate=1e38", "training.max_steps=1", "schedule.kind=constant"]
    try tiny.train(settings).expect(77, "step 1: conv1.weight is not finite after this step, and was not saved")
    #expect(try tiny.checkpoints() == [])
  }

  @Test func `rollback goes back from weights that are not finite too, and saves none of them`() throws {
    let tiny = try TinyRun()
    // Finite from some rollback on, and still absurd, so that the run ends with one of step 1 or later.
    let outcome = try tiny.train([
      "optimizer.learning_rate=1e38", "schedule.kind=constant", "training.non_finite=rollback", "training.max_steps=4",
      "checkpoint.every_steps=1",
    ])
    outcome.expect(77, "step 1: conv1.weight is not finite after this step; back to step 0")
    for name in try tiny.checkpoints() {
      let file = try SafetensorsFile(path: tiny.path("run/checkpoints/\(name)"))
      for tensor in file.tensors { #expect(try file.floats(tensor.name).allSatisfy(\.isFinite)) }
    }
  }

  @Test(arguments: ["run/checkpoints/missing.safetensors", "other.safetensors"])
  func `starting over with weights that cannot be used keeps what is there`(weights: String) throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=3"]).expect(0)
    let before = try tiny.checkpoints()
    let other = SafetensorsWriter.encode(tensors: [NamedTensor("conv1.weight", shape: [1], floats: [0])])
    try Data(other).write(to: URL(fileURLWithPath: tiny.path("other.safetensors")))
    try tiny.train(["model.weights=\(weights)"], resume: "never").expect(weights.hasPrefix("run/") ? 64 : 65)
    try tiny.train(["model.weights=\(weights)"], into: "elsewhere", dryRun: true).expect(65)
    #expect(try tiny.checkpoints() == before)
  }

  @Test(
    .long,
    arguments: [
      ("position", 99), ("epoch", -1), ("step", 2), ("samples", -5), ("epoch", 1 << 62),
      ("step", .min), ("correct", .max), ("refusedSteps", -1),
    ])
  func `a checkpoint whose progress is none is 65, though its checksums hold`(key: String, value: Int) throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=3"]).expect(0)
    var snapshot = try CheckpointStore.load(path: tiny.checkpointPath(3))
    let text = try #require(snapshot.metadata["progress"])
    var progress = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    progress[key] = value
    snapshot.metadata["progress"] = String(
      decoding: try JSONSerialization.data(withJSONObject: progress), as: UTF8.self)
    let directory = try RunDirectory(path: tiny.path("forged"))
    var store = CheckpointStore(directory: directory, keep: 3)
    _ = try store.save(snapshot, step: 3)
    try tiny.train(resume: tiny.path("forged/checkpoints/step-0000003.safetensors")).expect(
      65, "its progress is not that of a run")
  }

  @Test func `a symbolic link in a checkpoint's place is passed over`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2", "checkpoint.every_steps=1"]).expect(0)
    let files = FileManager.default
    try files.moveItem(atPath: tiny.checkpointPath(2), toPath: tiny.path("elsewhere"))
    try files.createSymbolicLink(atPath: tiny.checkpointPath(2), withDestinationPath: tiny.path("elsewhere"))
    let outcome = try tiny.train(["training.max_steps=2", "checkpoint.every_steps=1"], resume: "auto")
    outcome.expect(0, "skipped a checkpoint: ", "step-0000002.safetensors: open: a symbolic link is not followed here")
  }

  @Test(
    .long, arguments: [["data.limit=1000000000"], ["data.size=1024", "data.limit=1000000"], ["model.classes=65536"]])
  func `more than the machine holds is refused before it is taken`(settings: [String]) throws {
    // The last one fits on a large machine, and is refused on others; nothing may be killed or trap in either case.
    let tiny = try TinyRun()
    let outcome = try tiny.train(settings, dryRun: true)
    #expect([0, 64, 65].contains(outcome.status), "\(outcome.standardError)")
    #expect(settings == ["model.classes=65536"] || outcome.status != 0)
  }

  @Test func `resuming from another run's checkpoint begins a best of its own`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=10"], into: "first").expect(0)
    let path = tiny.checkpointPath(10, of: "first")
    try tiny.train(into: "second", resume: path).expect(0)
    #expect(try tiny.checkpoints(of: "second").contains("best.safetensors"))
  }
}
