import Foundation
import TestSupport
import Testing

/// `--dry-run` says what a rank takes, each baseline and each network of the method counted in. Each rank writes
/// at its end what it took at most.
@Suite(.ranks, .serialized, .timeLimit(.minutes(3))) struct MemoryTests {
  /// Batches so large that what the step takes is most of it: what the program takes before its first step is measured,
  /// not planned. Each step is saved, as the largest moment of rank 0.
  private static let configuration = """
    data: {format: glyphs, limit: 720, test_limit: 16, size: 12}
    model: {hidden: [1024, 1024]}
    training: {epochs: 1, max_steps: 2, batch_size: 360, shards: 3}
    icp: {steps: 1}
    distillation: {warmup: 0}
    evaluation: {train_samples: none}
    checkpoint: {every_steps: 1}
    """

  private static let methods = [
    [], ["icp.rule=none", "training.mixup=0.4"], ["icp.rule=none", "training.cutmix=1"],
    ["icp.rule=none", "optimizer.sam_rho=0.05"], ["icp.rule=none", "branches.taps=[TAP]"],
    ["icp.rule=ifgsm", "icp.objective=task"], ["icp.objective=mixed", "training.mixup=0.4", "icp.fraction=0.5"],
    ["icp.objective=soft", "distillation.teacher=ema", "training.ema=0.9"], ["icp.layer=TAP"],
    ["icp.reuse_student=true", "icp.fraction=0.5", "distillation.target=student"], ["training.elr=3"],
    ["icp.stray_gradient=true"],
  ]

  @Test(arguments: ["resnet20", "mlp"], methods)
  func `a dry run tells what a rank takes within 15 per cent`(model: String, method: [String]) throws {
    let tap = model == "mlp" ? "fc1" : "layer2"
    let settings = ["model.kind=\(model)"] + method.map { $0.replacing("TAP", with: tap) }
    for ranks in [1, 3] {
      let run = try TinyRun(Self.configuration)
      let planned = try planned(by: run.train(settings, ranks: ranks == 1 ? nil : ranks, dryRun: true))
      try run.train(
        settings, ranks: ranks == 1 ? nil : ranks, environment: ["ICP_MEMORY_PEAKS": run.folder.path],
        program: Program.built("icp-faulty")
      ).expect(0)
      for rank in 0..<ranks {
        let peak = try #require(Int(String(contentsOfFile: run.folder.path("\(rank)"), encoding: .utf8)))
        let ratio = (planned.each + (rank == 0 ? planned.saving : 0)) * 0x1p20 / Double(peak)
        #expect(0.85...1.15 ~= ratio, "rank \(rank) of \(ranks) takes \(peak >> 20) MiB, planned are \(planned)")
      }
    }
  }

  /// In MiB: of each rank, and of rank 0 beside while it saves.
  private func planned(by outcome: Program.Outcome) throws -> (each: Double, saving: Double) {
    outcome.expect(0)
    let line = try #require(
      outcome.standardOutput.firstMatch(of: /memory: about (\d+) MiB a rank(?:, and (\d+) MiB more on rank 0)?/))
    return (try #require(Double(line.1)), line.2.flatMap { Double($0) } ?? 0)
  }
}
