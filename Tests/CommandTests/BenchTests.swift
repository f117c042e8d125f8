import Foundation
import TestSupport
import Testing

/// What `icp bench` prints; never how fast anything is.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BenchTests {
  /// Needs data that is not there, and is not read.
  private static let configuration = """
    data: {format: cifar10, size: 8, augment: [pad-crop, flip]}
    model: {kind: resnet8}
    training: {batch_size: 8, shards: 2}
    icp: {steps: 2}
    """

  private func json(
    _ arguments: [String], _ settings: [String] = [], ranks: Int? = nil
  ) throws -> [String: Any] {
    let outcome = try TinyRun(Self.configuration).command(
      ["bench"] + arguments + ["--json"], settings, ranks: ranks)
    outcome.expect(0)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
  }

  /// Equal but for the last digits, which JSONSerialization does not read exactly.
  private func isClose(_ value: Any?, _ expected: Double) -> Bool {
    (value as? Double).map { abs($0 - expected) <= 1e-12 * abs(expected) } ?? false
  }

  private static let phases = ["data", "student", "refinement", "target", "backward", "reduction", "optimizer"]

  private static let few = ["--warm-up", "1", "--repeats", "2"]
  private static let fewest = ["--warm-up", "0", "--repeats", "1"]

  @Test(.ranks, arguments: [nil, 2])
  func `a step is timed by phase, which add up to it`(ranks: Int?) throws {
    let json = try json(["step", "tiny.yaml"] + Self.few, ranks: ranks)
    let step = try #require(json["step_seconds"] as? Double)
    let phases = try #require(json["phases"] as? [String: Double])
    #expect(phases.keys.sorted() == Self.phases.sorted())
    for (phase, seconds) in phases { #expect(seconds > 0, "\(phase)") }
    // The median of two repeats is their mean, so it adds up: to the rounding of doubles, far below a nanosecond.
    #expect(abs(phases.values.reduce(0, +) - step) < 1e-9)

    let least = try #require(json["step_seconds_min"] as? Double)
    let most = try #require(json["step_seconds_max"] as? Double)
    #expect(least > 0 && least <= step && step <= most)
    #expect(isClose(json["images_per_second"], 8 / step))
    for key in ["gflops", "resident_anonymous_mib", "resident_anonymous_mib_step_2", "processor_share"] {
      #expect(try #require(json[key] as? Double) > 0, "\(key)")
    }
    let shares = try ["spread", "data_wait_share"].map { try #require(json[$0] as? Double) }
    #expect(shares.allSatisfy { (0...1).contains($0) })

    let bare = try #require(json["bare_convolution_seconds"] as? Double)
    #expect(isClose(json["convolution_share"], bare / step))
    for size in ["refinement_pieces", "training_pieces"] {
      #expect(try #require(json["bare_convolution_seconds_\(size)"] as? Double) >= bare)
    }
    let integers = [
      "batch_size": 8, "shards": 2, "ranks": ranks ?? 1, "threads": 1, "steps": 2, "warm_up": 1, "repeats": 2,
    ]
    for (key, value) in integers { #expect(json[key] as? Int == value, "\(key)") }
    #expect(json["model"] as? String == "resnet8" && json["rule"] as? String == "adam")
    #expect((json["versions"] as? String)?.hasPrefix("icp ") == true)
  }

  @Test func `plain training has no refinement, and an MLP no convolutions`() throws {
    let json = try json(
      ["step", "tiny.yaml"] + Self.fewest,
      ["icp.rule=none", "model.kind=mlp", "data.format=idx", "model.classes=300"])
    let phases = try #require(json["phases"] as? [String: Double])
    #expect(phases["refinement"] == 0 && phases["target"] == 0)
    #expect(json["steps"] as? Int == 0 && json["rule"] as? String == "none")
    // One step has no second one, an MLP no convolution: null, not missing.
    for key in ["convolution_share", "bare_convolution_seconds", "resident_anonymous_mib_step_2"] {
      #expect(json[key] is NSNull, "\(key)")
    }
  }

  @Test func `people get a table`() throws {
    let tiny = try TinyRun(Self.configuration)
    let step = try tiny.command(["bench", "step", "tiny.yaml", "--no-bare"] + Self.few)
    step.expect(0)
    for text in Self.phases + ["3x8x8", "T = 2", "batch 8 in 2 shards, 1 rank of 1 thread", "images/s", "GFLOP/s"] {
      #expect(step.standardOutput.contains(text), "\(text)")
    }
    #expect(!step.standardOutput.contains("bare"))
    let sums = try tiny.command(["bench", "allreduce", "--max-bytes", "4096"] + Self.few)
    sums.expect(0)
    for text in ["  1 KiB", "  4 KiB", "one rank has nothing to sum"] { #expect(sums.standardOutput.contains(text)) }
    let kernels = try tiny.command(["bench", "kernels", "tiny.yaml", "--batch", "2"] + Self.fewest)
    kernels.expect(0)
    for text in ["layer2.0.downsample.0", "onednn fwd", "openblas dw"] {
      #expect(kernels.standardOutput.contains(text), "\(text)")
    }
  }

  @Test func `a step of a file's network has images as the file takes them`() throws {
    let tiny = try TinyRun(Self.configuration)
    let settings = [
      "model.kind=onnx", "model.path=\(PackageRoot.path)/Tests/Fixtures/squeeze.onnx", "data.size=native",
    ]
    let step = try tiny.command(["bench", "step", "tiny.yaml", "--no-bare"] + Self.few, settings)
    step.expect(0)
    #expect(step.standardOutput.contains("3x16x16"))
  }

  @Test(.ranks) func `kernels times every convolution by both implementations`() throws {
    let json = try json(["kernels", "tiny.yaml", "--batch", "2"] + Self.fewest, ranks: 2)
    let layers = try #require(json["layers"] as? [[String: Any]])
    // ResNet-8: the first convolution, three blocks of two, two of them with a projection.
    #expect(layers.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 9)
    for part in layers + [["gflops": try #require(json["gflops"])]] {
      let rates = try #require(part["gflops"] as? [String: [String: Double]])
      #expect(rates.keys.sorted() == ["onednn", "openblas"])
      for passes in rates.values {
        #expect(passes.keys.sorted() == ["backward_data", "backward_weights", "forward"])
        #expect(passes.values.allSatisfy { $0 > 0 })
      }
    }
    #expect(json["ranks"] as? Int == 2 && json["batch"] as? Int == 2)
  }

  @Test(.ranks, arguments: [1, 2])
  func `allreduce goes up to the largest size by fours`(ranks: Int) throws {
    let json = try json(["allreduce", "--max-bytes", "16385"] + Self.few, ranks: ranks)
    let sizes = try #require(json["sizes"] as? [[String: Any]])
    #expect(sizes.compactMap { $0["bytes"] as? Int } == [1024, 4096, 16384])
    for size in sizes {
      let bytes = try #require(size["bytes"] as? Int)
      for (kind, width) in [("exact", 8), ("float32", 4)] {
        let line = try #require(size[kind] as? [String: Any])
        #expect(line["gradients"] as? Int == bytes / width)
        let bandwidth = try #require(line["algorithm_bytes_per_second"] as? Double)
        #expect(isClose(line["seconds"], Double(bytes) / bandwidth))
        // 2 (p - 1) / p: nothing for one rank, as much for two.
        #expect(isClose(line["bus_bytes_per_second"], ranks == 1 ? 0 : bandwidth))
      }
    }
  }

  @Test(arguments: [
    (["step", "tiny.yaml", "--repeats", "0"], "--repeats is 0"),
    (["step", "tiny.yaml", "--warm-up=-1"], "--warm-up is -1"),
    (["step", "nowhere.yaml"], "nowhere.yaml"),
    (["step", "tiny.yaml", "--set", "icp.setps=1"], "unknown key 'icp.setps'"),
    (["kernels", "tiny.yaml", "--batch", "0"], "--batch is 0"),
    (["kernels", "tiny.yaml", "--set", "model.kind=mlp"], "mlp has no convolutions"),
    (["allreduce", "--max-bytes", "1023"], "--max-bytes is 1023"),
    (["steps"], "steps"),
  ])
  func `bad arguments are refused`(arguments: [String], message: String) throws {
    try TinyRun(Self.configuration).command(["bench"] + arguments).expect(64, message)
  }

  @Test func `a step that is refused measures nothing`() throws {
    try TinyRun(Self.configuration)
      .command(["bench", "step", "tiny.yaml", "--no-bare"], ["optimizer.learning_rate=1e30"])
      .expect(77, "of the benchmark: a loss or gradient was not finite")
  }
}
