import Foundation
import TestSupport
import Testing

/// The same bits at any number of ranks.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RankTests {
  /// Settings that between them reach every branch whose result could depend on who computes which shard.
  struct Variant: CustomTestStringConvertible {
    let name: String
    let settings: [String]
    var ranks = [2, 3]
    var testDescription: String { name }
  }

  @Test(
    .ranks,
    arguments: [
      Variant(name: "adam, adamw", settings: [], ranks: [2, 3, 4]),
      Variant(
        name: "sgd with momentum, random directions, augmentation, label smoothing",
        settings: [
          "optimizer.kind=sgd", "optimizer.nesterov=true", "icp.rule=random", "data.augment=[pad-crop, flip]",
          "training.label_smoothing=0.1", "icp.clamp=pixels",
        ]),
      Variant(
        name: "ademamix, running statistics, l2",
        settings: [
          "icp.rule=ademamix", "distillation.target=running", "distillation.normalize=l2", "icp.epsilon=0.003",
          "distillation.layer_weights=cosine", "optimizer.decay=matrices",
        ]),
      Variant(
        name: "ifgsm, frozen batch statistics, mean, gemm convolutions, validation split",
        settings: [
          "icp.rule=ifgsm", "distillation.target=batch_frozen", "icp.reduction=mean", "kernels.convolution=openblas",
          "data.validation=5",
        ]),
      Variant(
        name: "noisy labels on seven images of each class",
        settings: [
          "data.limit=130", "data.samples_per_class=7", "data.label_noise.kind=symmetric", "data.label_noise.rate=0.4",
        ], ranks: [2, 4]),
      Variant(
        name: "gradients in five buckets, which travel during the backward pass",
        settings: ["model.kind=mlp", "model.hidden=[700, 700]"], ranks: [2, 3, 4]),
      Variant(
        name: "gradients in five buckets, which travel after it",
        settings: ["model.kind=mlp", "model.hidden=[700, 700]", "training.overlap=false"], ranks: [2, 3]),
      Variant(name: "bfloat16 in the refinement", settings: ["icp.precision=auto", "icp.rule=random"]),
      Variant(
        name: "bfloat16 everywhere", settings: ["icp.precision=auto", "training.precision=auto"], ranks: [2, 3, 4]),
      Variant(name: "dropout", settings: ["model.dropout=0.4"], ranks: [2, 3, 4]),
      Variant(name: "plain training of an MLP", settings: ["model.kind=mlp", "model.hidden=[16]", "icp.rule=none"]),
    ])
  func `20 steps give byte-identical checkpoints at any number of ranks`(variant: Variant) throws {
    let tiny = try TinyRun()
    let alone = try tiny.train(variant.settings, into: "alone")
    alone.expect(0)
    #expect(alone.standardOutput.contains(" 1 rank, 5 shards, 20 steps"))
    // 70 samples are four batches of 16 and one of 6, over 5 shards; with a validation split of 5, the last one is of
    // 1.
    let expected = try tiny.tensors(20, of: "alone")
    #expect(expected.keys.contains { $0.hasPrefix("optimizer.") })
    for ranks in variant.ranks {
      let run = "at\(ranks)"
      let outcome = try tiny.train(variant.settings, into: run, ranks: ranks)
      outcome.expect(0)
      #expect(outcome.standardOutput.contains(" \(ranks) ranks, 5 shards, 20 steps"))
      #expect(try tiny.tensors(20, of: run) == expected)
      #expect(try tiny.checkpoint(20, of: run) == tiny.checkpoint(20, of: "alone"))
      #expect(try tiny.records(of: run).map(\.timeless) == tiny.records(of: "alone").map(\.timeless))
    }
  }

  @Test(.ranks) func `overlap changes no bit`() throws {
    let tiny = try TinyRun()
    let settings = ["model.kind=mlp", "model.hidden=[700, 700]", "training.max_steps=7"]
    for overlap in [true, false] {
      try tiny.train(settings + ["training.overlap=\(overlap)"], into: "\(overlap)", ranks: 3).expect(0)
    }
    #expect(try tiny.tensors(7, of: "true") == tiny.tensors(7, of: "false"))
  }

  @Test(.ranks) func `one rank under mpirun is the same as without mpirun`() throws {
    let tiny = try TinyRun()
    let settings = ["training.max_steps=3"]
    try tiny.train(settings, into: "without").expect(0)
    try tiny.train(settings, into: "with", ranks: 1).expect(0)
    #expect(try tiny.checkpoint(3, of: "with") == tiny.checkpoint(3, of: "without"))
  }

  @Test func `other shards, or another seed, give other weights`() throws {
    let tiny = try TinyRun()
    let settings = ["training.max_steps=2"]
    try tiny.train(settings, into: "one").expect(0)
    try tiny.train(settings + ["training.seed=1"], into: "seed").expect(0)
    try tiny.train(settings + ["training.shards=2"], into: "shards").expect(0)
    let reference = try tiny.tensors(2, of: "one")
    #expect(try tiny.tensors(2, of: "seed") != reference)
    #expect(try tiny.tensors(2, of: "shards") != reference)
  }

  @Test(.ranks) func `evaluate gives the same at 1 and 3 ranks, and what the epoch record says`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=6"]).expect(0)
    let arguments = ["evaluate", "tiny.yaml", "--weights", tiny.checkpointPath(6), "--json"]
    let alone = try tiny.command(arguments)
    alone.expect(0)
    let three = try tiny.command(arguments, ranks: 3)
    three.expect(0)
    #expect(three.standardOutput == alone.standardOutput)

    let object = try JSONSerialization.jsonObject(with: Data(alone.standardOutput.utf8))
    let json = try #require(object as? [String: Any])
    #expect(
      json.keys.sorted() == [
        "accuracy", "balanced_accuracy", "confusion", "ece", "f1", "loss", "per_class", "precision", "recall",
      ])
    let epoch = try #require(try tiny.records().last { $0.kind == "epoch" })
    for (key, recorded) in [
      ("accuracy", "test_accuracy"), ("loss", "test_loss"), ("f1", "test_f1"), ("ece", "test_ece"),
    ] {
      #expect(json[key] as? Double == epoch.number(recorded))
    }
    let confusion = try #require(json["confusion"] as? [[Int]])
    #expect(confusion.count == 10 && confusion.joined().reduce(0, +) == 20)
    #expect((json["per_class"] as? [Any])?.count == 10)
  }

  @Test(.ranks) func `more ranks than shards are refused, and nothing is left`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.shards=2"], ranks: 3)
      .expect(64, "3 ranks, but training.shards is 2: a rank needs a shard at least")
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
  }

  /// Open MPI 5 takes the addresses of several hosts for its own.
  @Test(.ranks) func `ranks on fewer hosts than launch asked for are refused`() throws {
    let tiny = try TinyRun()
    try tiny.train(ranks: 2, environment: ["ICP_HOSTS": "2"])
      .expect(64, "2 hosts were asked for, and all ranks are on ", "name hosts as they name themselves")
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
  }

  /// By which launch/ knows a 0 of the launcher's from the end of the run.
  @Test(.ranks) func `rank 0 leaves a mark after the end of a run, and after no other end`() throws {
    let tiny = try TinyRun()
    for (settings, status, isThere) in [
      (["training.max_steps=2"], 0, true), (["training.shards=1"], 64, false),
      (["training.max_steps=2", "optimizer.learning_rate=1e30"], 77, false),
    ] as [([String], Int32, Bool)] {
      let mark = tiny.path("ended-\(status)")
      try tiny.train(settings, into: "run-\(status)", ranks: 2, environment: ["ICP_END_MARK": mark]).expect(status)
      #expect(FileManager.default.fileExists(atPath: mark) == isThere)
    }
  }

  @Test func `a launch that gives single processes is refused`() throws {
    let tiny = try TinyRun()
    try tiny.train(environment: ["SLURM_STEP_NUM_TASKS": "2"])
      .expect(64, "2 processes were started by srun", "add --mpi=pmix to srun")
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
  }
}
