import Formats
import Foundation
import TestSupport
import Testing

/// What version 0.2.0 left is read by every version after it: `Tests/Fixtures/run-0.2.0` (make.sh there says how it was
/// made).
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReleaseTests {
  private static let fixture = PackageRoot.path + "/Tests/Fixtures/run-0.2.0"
  private static let middle = "step-0000015.safetensors"
  private static let last = "step-0000024.safetensors"

  /// A copy of the run, since a run changes its directory.
  private let tiny: TinyRun

  init() throws {
    tiny = try TinyRun()
    for name in ["run", "mlp.yaml", "resnet8.yaml"] {
      try FileManager.default.copyItem(atPath: "\(Self.fixture)/\(name)", toPath: tiny.path(name))
    }
  }

  /// Of the libraries and the instruction set, on which bits depend; MPI has no say.
  private static func kernels(_ versions: String) -> Substring? {
    versions.firstRange(of: "oneDNN").map { versions[$0.lowerBound...] }
  }

  /// Whether this machine computes with the kernels that the fixture was made with; else values are near, and it is
  /// said.
  private func hasSameKernels() throws -> Bool {
    let here = try #require(Self.kernels(tiny.command(["--version"]).standardOutput))
    let there = try #require(
      SafetensorsFile(path: "\(Self.fixture)/run/checkpoints/\(Self.last)").metadata["versions"].flatMap(Self.kernels))
    if here.split(whereSeparator: \.isNewline).first == there { return true }
    print(
      "NOTE: the fixture was computed by \(there), here by \(here): values are compared within a tolerance, not by bits"
    )
    return false
  }

  /// The figures of a later evaluation hold all that 0.2.0 gave.
  private func expect(_ json: String, is file: String, bits: Bool) throws {
    func object(_ data: Data) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    let ours = try object(Data(json.utf8))
    let theirs = try object(Data(contentsOf: URL(fileURLWithPath: "\(Self.fixture)/\(file)")))
    guard bits else {
      let (a, b) = (try #require(ours["loss"] as? Double), try #require(theirs["loss"] as? Double))
      // Rounding differs by 1e-7 a value; few steps of training make it no larger than this.
      #expect(abs(a - b) < 1e-3 * b)
      return
    }
    for (key, value) in theirs {
      #expect((ours[key] as? NSObject) == (value as? NSObject), "\(key)")
    }
  }

  /// By its own resolved configuration, and by a user's, which says how many images were held out but not which.
  @Test(.long, arguments: ["run/config.yaml", "mlp.yaml"])
  func `a run of 0.2.0 evaluates to the same digits`(configuration: String) throws {
    let outcome = try tiny.command([
      "evaluate", configuration, "--weights", "run/checkpoints/\(Self.last)", "--json",
    ])
    outcome.expect(0, "\(Self.last) does not say how its images were normalised")
    #expect(outcome.standardError.split(separator: "\n").count == 1)
    try expect(outcome.standardOutput, is: "evaluate.json", bits: hasSameKernels())
  }

  @Test func `a run of 0.2.0 does not resume with another normalisation`() throws {
    try tiny.command(["train", "mlp.yaml", "--run-dir", "run", "--resume", "auto"], ["data.mean=[0.5]"])
      .expect(65, "'data.mean' or 'data.std' is given and not what was computed")
  }

  /// From the middle of an epoch, by its own resolved configuration and by the one it began with.
  @Test(arguments: ["run/config.yaml", "mlp.yaml"])
  func `a run of 0.2.0 resumes from the middle to the bits of its end`(configuration: String) throws {
    try FileManager.default.removeItem(atPath: tiny.path("run/checkpoints/\(Self.last)"))
    let outcome = try tiny.command(["train", configuration, "--run-dir", "run", "--resume", "auto"])
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("going on from run/checkpoints/\(Self.middle), step 15"))
    let ours = try SafetensorsFile(path: tiny.path("run/checkpoints/\(Self.last)"))
    let theirs = try SafetensorsFile(path: "\(Self.fixture)/run/checkpoints/\(Self.last)")
    #expect(ours.tensors.map(\.name) == theirs.tensors.map(\.name))
    let bits = try hasSameKernels()
    for tensor in theirs.tensors {
      if bits {
        let there = theirs.withBytes(of: tensor) { Array($0) }
        #expect(ours[tensor.name].map { ours.withBytes(of: $0) { Array($0) } } == there, "\(tensor.name)")
      } else {
        // Nine steps of AdamW at 0.01; a gradient near zero may turn its sign.
        #expect(try Distance.relative(ours.floats(tensor.name), theirs.floats(tensor.name)) < 0.05, "\(tensor.name)")
      }
    }
  }

  /// A ResNet's own: running statistics, and the same rule, shards and optimiser from the seed on.
  @Test func `a ResNet trained now has the checksums that 0.2.0 gave it`() throws {
    let last = "residual/checkpoints/step-0000006.safetensors"
    try tiny.command(["train", "resnet8.yaml", "--run-dir", "residual"]).expect(0)
    let outcome = try tiny.command(["evaluate", "residual/config.yaml", "--weights", last, "--json"])
    outcome.expect(0)
    let bits = try hasSameKernels()
    try expect(outcome.standardOutput, is: "resnet8.json", bits: bits)
    guard bits else { return }
    let metadata = try SafetensorsFile(path: tiny.path(last)).metadata
    let lines = try String(contentsOfFile: "\(Self.fixture)/resnet8.txt", encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 105)
    for line in lines {
      let parts = line.split(separator: " ")
      #expect(metadata["checksum.\(parts[0])"] == String(parts[1]), "\(parts[0])")
    }
  }
}
