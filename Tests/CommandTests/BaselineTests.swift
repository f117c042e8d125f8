import TestSupport
import Testing

/// Runs of the baselines: the same bits at any number of ranks, and through a stop in the middle of an epoch.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BaselineTests {
  @Test(
    .ranks,
    arguments: [
      ["icp.rule=none", "training.mixup=0.3", "optimizer.sam_rho=0.05"],
      ["icp.rule=none", "branches.taps=[layer1, layer2]"], ["icp.rule=ifgsm", "icp.objective=task"],
      ["icp.preset=published-code"], ["icp.rule=adam", "training.mixup=0.3"],
      ["icp.rule=adam", "training.cutmix=1"], ["icp.objective=mixed", "icp.steps=1", "training.mixup=0.3"],
      ["icp.objective=mixed", "icp.rule=random", "icp.steps=1", "training.cutmix=1", "icp.fraction=0.5"],
      [
        "icp.objective=mixed", "icp.steps=1", "training.mixup=0.3", "training.mixing_after_epochs=1",
        "training.mixing_until=0.45", "training.mixing_probability=0.6",
      ],
      ["icp.objective=soft", "icp.label=predicted", "distillation.gate=0.01"],
      ["icp.layer=layer2", "icp.rule=random"], ["icp.objective=task", "icp.fade=0.8", "distillation.warmup=0"],
      ["icp.rule=none", "training.elr=3"], ["icp.rule=none", "training.pskd=0.8"],
      [
        "icp.reuse_student=true", "icp.steps=2", "icp.fraction=0.5", "icp.select=margin", "distillation.target=student",
        "distillation.warmup=0", "training.elr=1",
      ],
      ["icp.objective=soft", "icp.steps=1", "icp.reuse_student=true", "distillation.teacher=ema", "training.ema=0.8"],
    ])
  func `give the same bits on 1, 2 and 4 ranks, and after a resume`(settings: [String]) throws {
    let tiny = try TinyRun()
    let settings = settings + ["training.max_steps=10"]
    try tiny.train(settings, into: "alone").expect(0)
    try tiny.train(settings, into: "at4", ranks: 4).expect(0)
    try tiny.train(settings + ["training.max_steps=7"], into: "resumed", ranks: 2).expect(0)
    try tiny.train(settings, into: "resumed", resume: "auto").expect(0)
    for run in ["at4", "resumed"] {
      #expect(try tiny.tensors(10, of: run) == tiny.tensors(10, of: "alone"))
      #expect(try tiny.records(of: run).map(\.timeless) == tiny.records(of: "alone").map(\.timeless))
    }
  }

  @Test(arguments: [
    "training.mixing_after_epochs=4", "training.mixing_until=0", "training.mixing_probability=0",
  ])
  func `images that are not mixed are as they come, to the bit`(mixingOff: String) throws {
    let tiny = try TinyRun()
    let settings = ["icp.rule=none", "training.max_steps=6"]
    try tiny.train(settings, into: "plain").expect(0)
    for mixing in ["training.mixup=0.3", "training.cutmix=1"] {
      let (mixed, off) = ("\(mixing)-mixed", "\(mixing)-off")
      try tiny.train(settings + [mixing], into: mixed).expect(0)
      #expect(try tiny.tensors(6, of: mixed) != tiny.tensors(6, of: "plain"))
      try tiny.train(settings + [mixing, mixingOff], into: off).expect(0)
      #expect(try tiny.tensors(6, of: off) == tiny.tensors(6, of: "plain"))
    }
  }

  @Test func `branches are trained, saved, and dropped by the evaluation`() throws {
    let tiny = try TinyRun()
    try tiny.train(["icp.rule=none", "branches.taps=[layer1]", "training.max_steps=5"]).expect(0)
    let names = try tiny.tensors(5).keys
    #expect(names.contains("branch1.hidden.weight") && names.contains("optimizer.exp_avg.branch1.fc.bias"))
    let losses = try tiny.records().filter { $0.kind == "step" }.compactMap { $0.number("branch_loss") }
    #expect(losses.count == 5 && losses.allSatisfy { $0 > 0 })
    let weights = ["evaluate", "tiny.yaml", "--weights", tiny.checkpointPath(5)]
    let plain = try tiny.command(weights)
    plain.expect(0)
    #expect(
      try tiny.command(weights, ["icp.rule=none", "branches.taps=[layer1]"]).standardOutput == plain.standardOutput)
    try tiny.train(["icp.rule=none", "branches.taps=[layer9]"], into: "wrong")
      .expect(64, "branches.taps: there is no tap 'layer9'; this model has: conv1, layer1.0, layer1")
  }
}
