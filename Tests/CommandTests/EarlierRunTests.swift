import Formats
import Foundation
import Reduction
import Runtime
import TestSupport
import Testing

/// A run directory that version 0.2.0 left after 9 of 16 steps, beside what it came to (Tests/Fixtures/run-0.2.0): what an
/// earlier version began, this one measures and finishes to the same bits.
@Suite(.serialized, .timeLimit(.minutes(2))) struct EarlierRunTests {
  private let fixture = PackageRoot.path + "/Tests/Fixtures/run-0.2.0"

  private func restored() throws -> TinyRun {
    let tiny = try TinyRun(String(contentsOfFile: "\(fixture)/run.yaml", encoding: .utf8))
    try FileManager.default.copyItem(atPath: "\(fixture)/run", toPath: tiny.path("run"))
    return tiny
  }

  /// Bits depend on libraries and instruction set; on another machine digits agree to float32's rounding.
  private func isThisMachine() throws -> Bool {
    let versions = try SafetensorsFile(path: "\(fixture)/whole.safetensors").metadata["versions"] ?? ""
    func libraries(_ text: String) -> Substring { text.drop { $0 != "," } }
    return libraries(versions) == libraries(Platform.description)
  }

  @Test(arguments: ["tiny.yaml", "run/config.yaml"])
  func `its weights evaluate to the same digits, with one warning`(configuration: String) throws {
    let tiny = try restored()
    let outcome = try tiny.command(["evaluate", configuration, "--weights", tiny.checkpointPath(9), "--json"])
    outcome.expect(0, "step-0000009.safetensors does not say how its images were normalised")
    #expect(outcome.standardError.split(separator: "\n").count == 1)
    let expected = try String(contentsOfFile: "\(fixture)/evaluate.json", encoding: .utf8)
    if try isThisMachine() { #expect(outcome.standardOutput == expected) }
    func loss(_ text: String) throws -> Double {
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return try #require(object?["loss"] as? Double)
    }
    #expect(abs(try loss(outcome.standardOutput) - loss(expected)) < 1e-4)
  }

  @Test(arguments: ["tiny.yaml", "run/config.yaml"], [nil, 2])
  func `it resumes to the bits of the run that was never stopped`(configuration: String, ranks: Int?) throws {
    let tiny = try restored()
    let outcome = try tiny.command(
      ["train", configuration, "--run-dir", "run", "--resume", "auto"], ["training.max_steps=none"], ranks: ranks)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("going on from run/checkpoints/step-0000009.safetensors, step 9"))
    let (ours, whole) = try (
      SafetensorsFile(path: tiny.checkpointPath(16)), SafetensorsFile(path: "\(fixture)/whole.safetensors")
    )
    #expect(ours.tensors.map(\.name) == whole.tensors.map(\.name))
    let isSame = try isThisMachine()
    for tensor in whole.tensors {
      let (a, b) = try (ours.floats(tensor.name), whole.floats(tensor.name))
      if isSame { #expect(a == b, "\(tensor.name)") }
      // Seven steps of AdamW, each of which may turn a rounding into a thousandth of the learning rate.
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-3 }, "\(tensor.name)")
    }
    #expect(ours.metadata["preprocessing.mean"] != nil && ours.metadata["best_metric_name"] == "validation_accuracy")
  }

  @Test func `other data, and another normalisation, are refused by name`() throws {
    let tiny = try restored()
    let resume = ["train", "tiny.yaml", "--run-dir", "run", "--resume", "auto"]
    try tiny.command(resume, ["data.limit=39"]).expect(65, "'data.limit' is 39, but the run began with 40")
    try tiny.command(resume, ["data.mean=[0.5]"]).expect(
      65, "'data.mean' or 'data.std' is given and not what was computed")
  }
}
