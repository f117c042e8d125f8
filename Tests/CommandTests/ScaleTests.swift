import Foundation
import TestSupport
import Testing

/// What `icp scale` leaves and prints; never how fast anything is.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ScaleTests {
  /// Needs data that is not there, and is not read.
  private static let configuration = """
    data: {format: cifar10, size: 8}
    model: {kind: resnet8}
    training: {batch_size: 8, shards: 2}
    icp: {steps: 1}
    """

  private static let few = ["--repeats", "2", "--warm-up", "0", "--output", "scaling"]

  private func records(_ tiny: TinyRun, _ name: String) throws -> [[String: Any]] {
    let text = try String(contentsOfFile: tiny.folder.path("scaling/\(name)"), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test(.ranks) func `points are planned, measured once, emulated, and reported`() throws {
    let tiny = try TinyRun(Self.configuration)
    let plan = ["scale", "plan", "--ranks", "1,2", "--series", "weak", "--rounds", "1", "--output", "scaling"]
    #expect(try tiny.command(plan).standardOutput.split(separator: "\n").sorted() == ["weak 1 1", "weak 2 1"])
    for ranks in [1, 2] {
      let outcome = try tiny.command(["scale", "point", "tiny.yaml", "--series", "weak"] + Self.few, ranks: ranks)
      outcome.expect(0)
      #expect(outcome.standardError.contains("weak-000\(ranks)-1: "))
    }
    #expect(try tiny.command(plan).standardOutput == "")

    let lines = try records(tiny, "points/weak-0002-1.jsonl")
    let point = lines[0]
    // A shard a rank, of 8 / 2 samples.
    #expect(point["ranks"] as? Int == 2 && point["shards"] as? Int == 2 && point["batch_size"] as? Int == 8)
    #expect(point["refinement_steps"] as? Int == 1 && (point["hosts"] as? [String])?.count == 2)
    let steps = lines.filter { $0["kind"] as? String == "step" }
    // Two with overlap and two without, of each rank.
    #expect(steps.count == 8 && steps.count { $0["overlap"] as? Bool == true } == 4)
    for step in steps {
      func value(_ name: String) throws -> Double { try #require(step[name] as? Double) }
      let phases = try ["data", "student", "refinement", "target", "backward", "reduction", "optimizer"].map(value)
      // Each phase ends where the next begins; places are doubles of seconds, phases of nanoseconds.
      #expect(abs(phases.reduce(0, +) - (try value("end") - value("begin"))) < 1e-6)
      #expect(
        try value("begin") <= value("arrive") && value("arrive") <= value("leave") && value("leave") <= value("end"))
    }
    #expect(lines.count { $0["kind"] as? String == "sum" } == 3)

    try tiny.command(["scale", "probe", "--max-bytes", "4096", "--repeats", "2", "--output", "scaling"], ranks: 2)
      .expect(0)
    let report = try tiny.command(["scale", "report", "scaling"])
    report.expect(0)
    for text in ["## Weak scaling", "takes three counts", "## The network", "within a host"] {
      #expect(report.standardOutput.contains(text), "\(text)\n\(report.standardOutput)")
    }
    for name in ["report.md", "points.csv", "summary.jsonl", "weak.svg", "breakdown.svg", "extra-p.txt", "phases.json"]
    {
      #expect(FileManager.default.fileExists(atPath: tiny.folder.path("scaling/\(name)")), "\(name)")
    }
    let compared = try tiny.command(["scale", "report", "scaling", "scaling"])
    compared.expect(0)
    #expect(compared.standardOutput.contains("1.000"))

    let emulated = try tiny.command(
      ["scale", "point", "tiny.yaml", "--series", "weak", "--emulate", "scaling/phases.json", "--stretch", "3"]
        + ["--repeats", "2", "--warm-up", "0", "--output", "slept"], ranks: 2)
    emulated.expect(0)
    try tiny.command(["scale", "report", "slept"]).expect(0)
  }

  @Test(arguments: [
    (["plan", "--ranks", "1,x", "--output", "o"], "--ranks 1,x"),
    (["plan", "--ranks", "0", "--output", "o"], "--ranks: expected counts"),
    (["point", "tiny.yaml", "--series", "whole", "--stretch", "2", "--output", "o"], "--stretch is 2.0"),
    (["point", "tiny.yaml", "--series", "strong", "--largest", "9", "--output", "o"], "a shard needs a sample"),
    (["report", "nowhere", "--link", "10gbit:fast"], "--link"),
  ])
  func `bad arguments are refused`(arguments: [String], message: String) throws {
    try TinyRun(Self.configuration).command(["scale"] + arguments).expect(64, message)
  }

  @Test func `a folder without points is no input`() throws {
    let tiny = try TinyRun(Self.configuration)
    try tiny.command(["scale", "report", "nowhere"]).expect(65, "nowhere")
    try tiny.command(["scale", "report", "nowhere", "--to", "0"]).expect(64, "--to")
  }
}
