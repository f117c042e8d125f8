import TestSupport
import Testing

/// Runs of the rivals: the same bits at any number of ranks, and through a stop in the middle of an epoch.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RivalTests {
  @Test(arguments: [
    ["icp.rule=none", "training.mixup=0.3"], ["icp.rule=none", "optimizer.sam_rho=0.05"],
  ])
  func `20 steps give the same bits on 1, 2 and 4 ranks, and after a resume on another number`(
    settings: [String]
  ) throws {
    let tiny = try TinyRun()
    try tiny.train(settings, into: "alone").expect(0)
    let expected = try tiny.tensors(20, of: "alone")
    for ranks in [2, 4] {
      let run = "at\(ranks)"
      try tiny.train(settings, into: run, ranks: ranks).expect(0)
      #expect(try tiny.tensors(20, of: run) == expected)
      #expect(try tiny.records(of: run).map(\.timeless) == tiny.records(of: "alone").map(\.timeless))
    }
    try tiny.train(settings + ["training.max_steps=7"], into: "resumed", ranks: 2).expect(0)
    try tiny.train(settings, into: "resumed", resume: "auto").expect(0)
    #expect(try tiny.tensors(20, of: "resumed") == expected)

    // And the option does something.
    try tiny.train(["icp.rule=none"], into: "plain").expect(0)
    #expect(try tiny.tensors(20, of: "plain") != expected)
  }
}
