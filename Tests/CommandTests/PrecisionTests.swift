import Foundation
import Kernels
import TestSupport
import Testing

/// `icp.precision` and `training.precision`, as a user sees them.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PrecisionTests {
  /// A processor without bfloat16, as far as oneDNN can tell.
  private static let without = ["ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "DNNL_MAX_CPU_ISA": "AVX512_CORE"]
  private static let lack = KernelLibrary.bfloat16Lack

  @Test(arguments: ["icp.precision", "training.precision"])
  func `a processor without bfloat16 refuses it, and says what it lacks`(key: String) throws {
    let tiny = try TinyRun()
    try tiny.train(["\(key)=bfloat16"], environment: Self.without)
      .expect(64, "\(key) is bfloat16, but \(Self.lack): set it to auto")
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
    try tiny.command(["doctor", "tiny.yaml"], ["\(key)=bfloat16"], environment: Self.without).expect(64, Self.lack)
  }

  @Test func `auto takes float32 there, with its bits, and says so`() throws {
    let tiny = try TinyRun()
    let auto = ["icp.precision=auto", "training.precision=auto", "training.max_steps=3"]
    let outcome = try tiny.train(auto, into: "auto", environment: Self.without)
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains(
        "\nprecision: refinement and target pass in float32 (auto: \(Self.lack)), student in float32 (auto: "))
    try tiny.train(["training.max_steps=3"], into: "float32", environment: Self.without).expect(0)
    #expect(try tiny.tensors(3, of: "auto") == tiny.tensors(3, of: "float32"))
    let doctor = try tiny.command(["doctor", "tiny.yaml"], environment: Self.without)
    #expect(doctor.standardOutput.contains("note     precision: float32 alone: \(Self.lack)"))
  }

  @Test func `OpenBLAS has no bfloat16`() throws {
    let settings = ["kernels.convolution=openblas", "icp.precision=bfloat16"]
    try TinyRun().train(settings).expect(64, "'icp.precision' is bfloat16, but 'kernels.convolution' is openblas")
  }

  @Test(.bfloat16) func `where there is bfloat16 auto takes it, and greeting, doctor and checkpoint name it`() throws {
    let instructions = try #require(KernelLibrary.bfloat16Instructions)
    let tiny = try TinyRun()
    let outcome = try tiny.train(["icp.precision=auto", "training.max_steps=3"], into: "auto")
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains(
        "\nprecision: refinement and target pass in bfloat16 (\(instructions), auto), student in float32\n"))
    try tiny.train(["icp.precision=bfloat16", "training.max_steps=3"], into: "bfloat16").expect(0)
    #expect(try tiny.tensors(3, of: "auto") == tiny.tensors(3, of: "bfloat16"))
    try tiny.train(["training.max_steps=3"], into: "float32").expect(0)
    #expect(try tiny.tensors(3, of: "auto") != tiny.tensors(3, of: "float32"))
    let doctor = try tiny.command(["doctor", "tiny.yaml"])
    #expect(doctor.standardOutput.contains("ok       precision: float32, and bfloat16 by \(instructions)"))
    let inspected = try tiny.command(["inspect", tiny.checkpointPath(3, of: "auto")])
    #expect(inspected.standardOutput.contains(", bfloat16 by \(instructions)"))
    // Went on where there is none, it is another run.
    let resumed = try tiny.train(["icp.precision=auto"], into: "auto", resume: "auto", environment: Self.without)
    resumed.expect(0)
    #expect(resumed.standardOutput.contains("bit-reproducible: no, because the run began with "))
  }

  /// What the target pass's rounding alone distils: x_T = x, and the same batch statistics but for it.
  @Test(.bfloat16) func `without a refinement the distillation is 0 in one precision, and small in two`() throws {
    func distillation(_ settings: [String]) throws -> Double {
      let tiny = try TinyRun()
      try tiny.train(settings + ["training.max_steps=1"]).expect(0)
      return try #require(try tiny.records().first { $0.kind == "step" }?.number("distillation_loss"))
    }
    #expect(try distillation(["icp.steps=0"]) == 0)
    let between = try distillation(["icp.steps=0", "icp.precision=bfloat16"])
    // The mean square over three taps, whose features are of size 1 and err by some 2^-7: 0.0002 was measured.
    #expect(between > 0 && between < 3 * 0x1p-12, "\(between)")
    #expect(try distillation(["icp.steps=0", "icp.precision=bfloat16", "training.precision=bfloat16"]) == 0)
  }
}
