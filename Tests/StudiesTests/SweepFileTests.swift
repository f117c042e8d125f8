import Configuration
import Foundation
import Studies
import TestSupport
import Testing

private func refusal(_ yaml: String, _ overrides: [String] = []) -> String? {
  do throws(ConfigurationError) {
    _ = try Sweep(yaml: yaml, name: "s.yaml", overrides: overrides)
    return nil
  } catch { return error.description }
}

@Suite struct SweepFileTests {
  private static let study = """
    seeds: [3, 5]
    ranks_per_run: 2
    baseline: plain
    settings: {data.size: 12}
    groups:
      clean: {}
      small: {training: {batch_size: 32}}
    grid:
      data.limit: [100, 200]
    overrides:
      - when: {data.limit: 100}
        set: {training.epochs: 8}
      - when: {data.limit: [100, 200], variant: adam, group: small}
        set: {icp.steps: 9}
    variants:
      equal: {icp.rule: none, equal_compute_with: adam}
      plain: {icp.rule: none}
      long: {icp.rule: none, epochs_factor: 2.6}
      adam: {icp: {rule: adam, step_size: 5.0e-3}}
    """

  @Test func `how images are held out makes no other run where none are`() throws {
    let checksums = try ["end", "stratified"].map {
      try RunConfiguration(yaml: "data: {validation_split: \($0)}", name: "c.yaml").studyChecksum
    }
    #expect(checksums[0] == checksums[1])
  }

  @Test func `every point, variant and seed is a run, seed by seed, and those that wait for others come last`() throws {
    let runs = try Sweep(yaml: Self.study, name: "s.yaml").runs()
    #expect(runs.count == 2 * 2 * 4 * 2)
    #expect(
      runs.prefix(4).map(\.name) == [
        "clean_limit-100/plain/seed-3", "clean_limit-100/long/seed-3", "clean_limit-100/adam/seed-3",
        "clean_limit-200/plain/seed-3",
      ])
    #expect(runs.suffix(8).allSatisfy { $0.variant == "equal" && $0.equalComputeWith == "adam" })
    #expect(Set(runs.map(\.name)).count == runs.count)
  }

  @Test func `settings are laid over the base: shared, the grid's, overrides, the variant's, the seed, --set`() throws {
    let runs = try Sweep(yaml: Self.study, name: "s.yaml", overrides: ["data.test_limit=7"]).runs()
    func configuration(_ name: String) throws -> RunConfiguration {
      try #require(runs.first { $0.name == name }).configuration
    }
    let adam = try configuration("small_limit-100/adam/seed-5")
    #expect(adam.data.size == 12 && adam.data.limit == 100 && adam.training.batchSize == 32)
    #expect(adam.training.epochs == 8 && adam.icp.steps == 9 && adam.icp.stepSize == 5e-3 && adam.training.seed == 5)
    #expect(adam.data.testLimit == 7 && adam.checkpoint.keep == 1)
    let other = try configuration("clean_limit-200/adam/seed-3")
    #expect(other.icp.steps == 5 && other.training.epochs == 30 && other.training.batchSize == 128)
    #expect(try configuration("clean_limit-100/long/seed-3").training.epochs == 21)
    #expect(try configuration("clean_limit-200/long/seed-3").training.epochs == 78)
    // Evaluated as often in all: every epoch of 30, every third of 78. Steps that end a run stretch with it.
    #expect(try configuration("clean_limit-200/long/seed-3").evaluation.everyEpochs == 3)
    let cut = try Sweep(yaml: Self.study, name: "s.yaml", overrides: ["training.max_steps=100"]).runs()
    #expect(try #require(cut.first { $0.variant == "long" }).configuration.training.maxSteps == 260)
  }

  /// Ten values of each of twelve keys.
  private static let bomb = [
    "data.size", "data.limit", "data.test_limit", "data.validation", "training.epochs", "training.max_steps",
    "training.batch_size", "training.shards", "training.threads", "icp.steps", "checkpoint.keep", "logging.every_steps",
  ].map { "\($0): [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]" }.joined(separator: ", ")

  @Test(arguments: [
    ("variants: {a: {}}\ngird: {icp.steps: [1]}", "s.yaml:2:1: unknown key 'gird'; did you mean 'grid'?"),
    ("seeds: [1]", "s.yaml: 'variants' is missing: what is to be compared"),
    ("variants:\n  a: {icp.setps: 3}", "s.yaml:2:7: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("variants:\n  a: {icp: {setps: 3}}", "s.yaml:2:13: unknown key 'icp.setps'; did you mean 'icp.steps'?"),
    ("variants:\n  a: {icp.steps: -3}", "s.yaml:2:18: key 'icp.steps': expected an integer >= 0, got -3"),
    ("variants: {a: {}}\nseeds: [0, 0]", "s.yaml:2:8: key 'seeds': expected a list"),
    ("variants: {a: {training.seed: 4}}", "s.yaml:1:31: 'training.seed' comes from 'seeds'"),
    ("variants: {a b: {}}", "s.yaml:1:12: expected a name of a variant, of letters"),
    ("variants: {../b: {}}", "s.yaml:1:12: expected a name of a variant, of letters"),
    (
      "variants: {plain: {}}\nbaseline: plane", "s.yaml:2:11: key 'baseline': no variant 'plane'; did you mean 'plain'?"
    ),
    ("variants: {a: {}}\ngrid: {icp.steps: 3}", "s.yaml:2:19: key 'icp.steps': expected a list of values, got 3"),
    ("variants: {a: {}}\ngrid: {icp.steps: [1, x]}", "s.yaml:2:23: key 'icp.steps': expected an integer >= 0, got x"),
    (
      "variants: {a: {}}\ngrid: {icp.steps: [1, 1]}",
      "s.yaml:2:7: two points of the grid would share the folder 'steps-1'"
    ),
    (
      "variants: {a: {}}\ngrid: {icp.steps: [1, 2]}\noverrides:\n  - when: {icp.steps: 3}\n    set: {training.epochs: 2}",
      "s.yaml:4:23: 'icp.steps' is never 3; it is 1, 2"
    ),
    (
      "variants: {a: {}}\noverrides:\n  - when: {icp.step: 3}\n    set: {training.epochs: 2}",
      "s.yaml:3:12: not a key of the grid: 'icp.step'; expected variant"
    ),
    ("variants: {a: {equal_compute_with: b}, b: {}}", "s.yaml:1:36: 'equal_compute_with' needs a 'baseline'"),
    ("variants: {a: {equal_compute_with: b, epochs_factor: 2}}", "s.yaml:1:39: 'epochs_factor' and"),
    ("variants: {a: {}}\ngrid: {\(bomb)}", "s.yaml:2:7: more than 20000 runs"),
    ("variants: {a: {data.format: cifar10}}", "'data.path' is missing"),
    ("variants: {a: {file: nowhere.yaml}}", "nowhere.yaml: cannot be read: No such file"),
    ("variants: {a: {}}\nbase: nowhere.yaml", "nowhere.yaml: cannot be read: No such file"),
    ("variants: {a: {}}\nsearch: {seed: 2}", "s.yaml:2:9: key 'search': 'variants' is missing"),
    ("variants: {a: {}}\nsearch: {variants: {}}", "s.yaml:2:20: key 'variants': expected at least one"),
    ("variants: {a: {}}\nsearch: {variants: {a: {trials: 2}}}", "s.yaml:2:24: key 'a': 'space' is missing"),
    (
      "variants: {a: {}}\nsearch: {variants: {b: {trials: 2, space: {}}}}",
      "s.yaml:2:9: key 'variants': no variant 'b'; expected a"
    ),
    (
      "variants: {a: {}}\nsearch: {metric: test_accuracy, variants: {a: {trials: 2, space: {}}}}",
      "s.yaml:2:18: key 'metric': expected validation_accuracy, validation_loss, validation_f1, validation_ece, got test_accuracy"
    ),
    (
      "variants: {a: {}}\nsearch: {variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "s.yaml:2:9: a search needs 'data.validation'"
    ),
    (
      "variants: {a: {}}\nsearch: {variants: {a: {trials: 2, space: {icp.step_size: {lgo: [1, 2]}}}}}",
      "s.yaml:2:60: key 'space': 'lgo'; did you mean 'log'?"
    ),
    (
      "variants: {a: {}}\nsearch: {variants: {a: {trials: 2, space: {icp.step_size: {log: [0, 2]}}}}}",
      "s.yaml:2:65: key 'space': expected two numbers, ascending and above 0, got [0, 2]"
    ),
    (
      "variants: {a: {}}\nbaseline: a\nsearch: {variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "s.yaml:3:9: 'a' becomes trials: it can neither be the baseline nor what another's compute is equal to"
    ),
    (
      "variants: {a: {}}\nsearch: {variants: {a: {trials: 2, space: {icp.steps: {uniform: [1, 6]}}}}}",
      "s.yaml:2:44: key 'icp.steps': expected an integer >= 0, got 2.55, as a value of the space might be"
    ),
    (
      "variants: {a: {}}\nranks_per_run: 5",
      "s.yaml:2:16: 'ranks_per_run' is 5, and 'training.shards' of a/seed-0 4: a rank needs a shard"
    ),
    (
      "settings: {training.epochs: 8, schedule.warmup_epochs: 5}\nvariants: {a: {epochs_factor: 0.25}}",
      "'schedule.warmup_epochs' is 5, more than the 2 of 'training.epochs'"
    ),
    (
      "variants: {a: {}, a-02: {}}\nsearch: {variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "s.yaml:2:9: a variant is called as a trial is: 'a-02'"
    ),
    (
      "variants: {a: {}}\nsearch: {method: halving, variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "s.yaml:2:9: 'rungs' is missing: method halving needs two or more"
    ),
    (
      "variants: {a: {}}\nsearch: {method: halving, rungs: [{epochs: 0.5}, {epochs: 0.7}], variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "key 'rungs': the last one decides, and has all 1 seeds and the whole epochs"
    ),
    (
      "variants: {a: {}}\nsearch: {rungs: [{}, {}], variants: {a: {trials: 2, space: {icp.steps: [1, 2]}}}}",
      "'rungs' and 'keep' go with 'method: halving' alone"
    ),
  ])
  func `what is wrong is said with its place`(yaml: String, says: String) throws {
    let text = try #require(refusal(yaml))
    #expect(text.contains(says), "\(text)")
  }

  @Test func `a search's trials are drawn by its seed, within the space, and more trials leave the first as they are`()
    throws
  {
    func runs(trials: Int, seed: Int = 4) throws -> [RunConfiguration] {
      try Sweep(
        yaml: """
          settings: {data.validation: 100}
          variants: {adam: {icp.steps: 3}}
          search:
            seed: \(seed)
            variants:
              adam:
                trials: \(trials)
                space:
                  icp.step_size: {log: [1e-4, 1e-1]}
                  icp.steps: {integer: [1, 4]}
                  distillation.alpha_min: [0, 0.3]
                  distillation.warmup: {uniform: [0.2, 0.4]}
          """, name: "s.yaml"
      ).runs().map(\.configuration)
    }
    let drawn = try runs(trials: 400)
    #expect(drawn.count == 400)
    #expect(
      drawn.allSatisfy { (1e-4...1e-1).contains($0.icp.stepSize) && (0.2...0.4).contains($0.distillation.warmup) })
    #expect(Set(drawn.map(\.icp.steps)) == [1, 2, 3, 4] && Set(drawn.map(\.distillation.alphaMin)) == [0, 0.3])
    // A third of a uniform logarithm lies in each decade: 133 of 400, with a deviation of 9.4; five of these.
    #expect(abs(drawn.count { $0.icp.stepSize < 1e-3 } - 133) < 47)
    #expect(try runs(trials: 5) == Array(drawn.prefix(5)))
    #expect(try runs(trials: 5, seed: 5) != Array(drawn.prefix(5)))
  }

  @Test func `an even search leaves no gap, and more trials or keys leave the first as they are`() throws {
    func runs(trials: Int, seed: Int = 4, more: String = "") throws -> [RunConfiguration] {
      try Sweep(
        yaml: """
          settings: {data.validation: 100}
          variants: {adam: {icp.steps: 3}}
          search:
            method: even
            seed: \(seed)
            variants:
              adam:
                trials: \(trials)
                space: {icp.step_size: {log: [1e-4, 1e-1]}, icp.steps: {integer: [1, 3]}, distillation.alpha_min: [0, 0.3]\(more)}
          """, name: "s.yaml"
      ).runs().map(\.configuration)
    }
    for seed in 0..<20 {
      let drawn = try runs(trials: 16, seed: seed)
      // Of 16 points each lies in its own 16th of the logarithm, but for the rounding to three digits.
      let places = drawn.map { (log10($0.icp.stepSize) + 4) / 3 * 16 }.sorted()
      #expect(places.enumerated().allSatisfy { Double($0.offset) - 0.1...Double($0.offset) + 1.1 ~= $0.element })
      #expect(drawn.prefix(3).map(\.icp.steps).sorted() == [1, 2, 3])
      #expect(Set(drawn.prefix(5).map(\.distillation.alphaMin)) == [0, 0.3])
    }
    let drawn = try runs(trials: 16)
    #expect(try runs(trials: 5) == Array(drawn.prefix(5)))
    #expect(try runs(trials: 5, seed: 5) != Array(drawn.prefix(5)))
    let wider = try runs(trials: 5, more: ", distillation.warmup: [0, 0.5]")
    #expect(wider.map(\.icp.stepSize) == drawn.prefix(5).map(\.icp.stepSize))
  }

  @Test func `a search by halving asks for the runs of its rungs, each once`() throws {
    let sweep = try Sweep(
      yaml: """
        seeds: [7, 8, 9]
        settings: {data.validation: 100, training.epochs: 8}
        variants: {plain: {icp.rule: none}, adam: {}}
        search:
          method: halving
          rungs: [{seeds: 2, epochs: 0.25}, {seeds: 1, epochs: 0.5}, {seeds: 2}, {}]
          variants: {adam: {trials: 4, space: {icp.step_size: {log: [1e-4, 1e-1]}}}}
        """, name: "s.yaml")
    let runs = try sweep.runs()
    #expect(runs.count == 3 + 4 * (2 + 1 + 3) && Set(runs.map(\.name)).count == runs.count)
    let own = runs.filter { $0.name.hasPrefix("adam-02") }
    #expect(
      Dictionary(grouping: own.map(\.name)) { $0.split(separator: "/")[0] }.mapValues(\.count) == [
        "adam-02-epochs-0.25": 2, "adam-02-epochs-0.5": 1, "adam-02": 3,
      ])
    #expect(Set(own.map(\.configuration.icp.stepSize)).count == 1)
    #expect(
      Set(own.map { "\($0.variant) \($0.configuration.training.epochs)" }) == [
        "adam-02-epochs-0.25 2", "adam-02-epochs-0.5 4", "adam-02 8",
      ])
  }

  @Test func `a search draws within narrow ranges, with as many digits as they need, and reads what it wrote`() throws {
    let runs = try Sweep(
      yaml: """
        settings: {data.validation: 100}
        variants: {sgd: {optimizer.kind: sgd}}
        search:
          variants:
            sgd:
              trials: 200
              space:
                optimizer.momentum: {uniform: [0.99951, 0.99999]}
                optimizer.learning_rate: {log: [0.0012345, 0.0012346]}
                optimizer.weight_decay: {log: [0.1, 0.1]}
                icp.step_size: {log: [1.0e-3, 0.1]}
        """, name: "s.yaml"
    ).runs()
    #expect(runs.allSatisfy { (0.99951...0.99999).contains($0.configuration.optimizer.momentum) })
    #expect(runs.allSatisfy { (0.0012345...0.0012346).contains($0.configuration.optimizer.learningRate) })
    #expect(runs.allSatisfy { $0.configuration.optimizer.weightDecay == 0.1 })
    // Steps of a fiftieth at most: of 200 draws far more than a handful differ.
    #expect(Set(runs.map(\.configuration.optimizer.momentum)).count > 30)
    #expect(Set(runs.map(\.configuration.optimizer.learningRate)).count > 30)
    // Three digits where they do, as in the studies that are published.
    #expect(
      runs.allSatisfy { Double(String(format: "%.3g", $0.configuration.icp.stepSize)) == $0.configuration.icp.stepSize }
    )
    for run in runs {
      #expect(try RunConfiguration(yaml: run.configuration.resolvedYAML, name: "c.yaml") == run.configuration)
    }
  }

  @Test func `overrides hold for the trials of the variant that they name`() throws {
    let runs = try Sweep(
      yaml: """
        settings: {data.validation: 100, training.epochs: 8}
        variants: {adam: {}, plain: {icp.rule: none}}
        overrides: [{when: {variant: adam}, set: {training.epochs: 3}}]
        search: {variants: {adam: {trials: 2, space: {icp.steps: [1, 2]}}}}
        """, name: "s.yaml"
    ).runs()
    #expect(runs.map(\.name) == ["adam-01/seed-0", "adam-02/seed-0", "plain/seed-0"])
    #expect(runs.map(\.configuration.training.epochs) == [3, 3, 8])
  }

  @Test func `settings from a file are taken up, for each point its own`() throws {
    let folder = try TemporaryDirectory()
    try folder.write("# by validation_accuracy (0.5, mean of 2 runs)\nicp.steps: 7\n", to: "found/steps-3/chosen.yaml")
    try folder.write("icp.steps: 8\nicp.step_size: 0.5\n", to: "found/steps-4/chosen.yaml")
    let file = try folder.write(
      """
      variants:
        adam: {file: "found/{point}/chosen.yaml", icp.step_size: 0.1, icp.objective: task}
      grid: {icp.steps: [3, 4]}
      """, to: "s.yaml")
    let runs = try Sweep.load(path: file).runs()
    #expect(runs.map(\.configuration.icp.steps) == [7, 8])
    #expect(runs.map(\.configuration.icp.stepSize) == [0.1, 0.1])
    // The first line says by what they were chosen; a file without one is only named. What the study has otherwise is
    // said.
    #expect(
      runs.map(\.provenance) == [
        "by validation_accuracy (0.5, mean of 2 runs) (chosen.yaml), but for icp.step_size, icp.objective",
        "from chosen.yaml, but for icp.step_size, icp.objective",
      ])
  }

  @Test func `the repository's studies can be read, have five seeds, and searches have others`()
    throws
  {
    let folder = PackageRoot.path + "/configs/studies"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") && $0 != "base.yaml" }
    let sweeps = try names.map { (name: $0, sweep: try Sweep.load(path: "\(folder)/\($0)")) }
    #expect(sweeps.count { $0.sweep.search != nil } >= 2 && sweeps.count { $0.sweep.search == nil } >= 6)
    for (name, sweep) in sweeps {
      let runs = try sweep.runs()
      let seeds = Set(runs.map(\.seed))
      // The published figures of those that hold images out were measured with it.
      #expect(
        name == "quick.yaml"
          || runs.allSatisfy {
            $0.configuration.data.validationSplit.split == .end || $0.configuration.data.validation == .none
          }, "\(name)")
      if sweep.search != nil {
        #expect(seeds.isDisjoint(with: 0..<100), "\(name)")
      } else if name.hasPrefix("discovery-") {
        // What is found is confirmed on other seeds, and on the test set, which a discovery does not see.
        #expect(seeds.isDisjoint(with: 0..<200), "\(name)")
        #expect(
          runs.allSatisfy { $0.configuration.data.validation != .none && $0.configuration.data.testLimit == 1 },
          "\(name)")
      } else if name.hasPrefix("confirm-") {
        // On seeds that nothing was chosen by, as many as its plan says; other confirmations choose nothing.
        let others = try sweeps.filter { !$0.name.hasPrefix("confirm-") }.flatMap { try $0.sweep.runs().map(\.seed) }
        #expect(seeds.isDisjoint(with: others) && seeds.count >= 12, "\(name)")
        #expect(runs.allSatisfy { $0.configuration.data.validation == .none }, "\(name)")
      } else {
        // The quick one shows how a study goes, and says of itself for what it is too small.
        #expect(seeds.isSubset(of: 0..<100) && seeds.count >= (name == "quick.yaml" ? 3 : 5), "\(name)")
        // They are measured on the test set and train on all else.
        #expect(runs.allSatisfy { $0.configuration.data.validation == .none }, "\(name)")
      }
    }
  }
}
