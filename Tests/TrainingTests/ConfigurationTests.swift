import Datasets
import Foundation
import Kernels
import Networks
import Refinement
import Testing
import Training

private let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

@Suite struct ConfigurationTests {
  private func read(_ yaml: String, _ overrides: [String] = []) throws -> RunConfiguration {
    try RunConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides)
  }

  @Test(arguments: ["", "# nothing\n", "---\n", "icp:\n", "\u{FEFF}", "{}", "icp: {}\nmodel:\n"])
  func `a file that says nothing gives the defaults`(yaml: String) throws {
    #expect(try read(yaml) == RunConfiguration())
  }

  /// The contract's first column of values, typed out once more on purpose.
  @Test func `every default is the contract's`() throws {
    let expected = """
      data:
        format: glyphs
        path: none
        size: native
        shuffle: true
        augment: []
        mean: computed
        std: computed
        limit: all
        test_limit: all
        validation: 0

      model:
        kind: resnet20
        shortcut: projection
        hidden: [256, 256]
        classes: of the data
        weights: none

      training:
        epochs: 30
        max_steps: none
        batch_size: 128
        shards: 4
        threads: 1
        label_smoothing: 0
        gradient_reduction: exact
        non_finite: stop
        seed: 0

      optimizer:
        kind: adamw
        learning_rate: 0.001
        weight_decay: 0.01
        decay: all
        betas: [0.9, 0.999]
        epsilon: 1.0e-08
        momentum: 0.9
        nesterov: false
        clip_norm: 5

      schedule:
        kind: cosine
        warmup_epochs: 0
        milestones: []
        gamma: 0.1

      icp:
        rule: adam
        steps: 5
        step_size: 0.002
        reduction: sum
        clamp: none
        epsilon: none

      distillation:
        taps: of the model
        layer_weights: uniform
        warmup: 0.25
        alpha_min: 0
        target: batch
        normalize: none

      checkpoint:
        every_steps: none
        every_epochs: 1
        keep: 3
        metric: train_loss

      logging:
        every_steps: 10

      kernels:
        convolution: onednn

      """
    #expect(RunConfiguration().resolvedYAML == expected)
  }

  @Test func `defaults that depend on another key follow its final value`() throws {
    let sgd = try read("optimizer: {kind: sgd}").optimizer
    #expect(sgd.learningRate == 0.1 && sgd.weightDecay == 5e-4)
    #expect(try read("optimizer: {kind: adamw}", ["optimizer.kind=sgd"]).optimizer.learningRate == 0.1)
    #expect(
      try read("optimizer: {learning_rate: 1e-3}", ["optimizer.kind=sgd"]).optimizer.learningRate == 1e-3)

    #expect(try read("data: {format: cifar10, path: d}").data.augment == [.padCrop, .flip])
    #expect(try read("data: {format: cifar100, path: d}").data.augment == [.padCrop, .flip])
    #expect(try read("data: {format: idx, path: d}").data.augment == [])
    #expect(try read("data: {format: cifar10, path: d, augment: []}").data.augment == [])

    #expect(try read("data: {validation: 0.1}").checkpoint.metric == .validationAccuracy)
    #expect(
      try read("data: {validation: 0.1}\ncheckpoint: {metric: train_loss}").checkpoint.metric == .trainLoss)
  }

  @Test func `values arrive in their properties`() throws {
    let configuration = try read(
      """
      data: {format: idx, path: "a b/ü", size: 16, shuffle: false, augment: [flip], mean: [0.5], std: [.25], limit: 7,
        test_limit: 8, validation: 500}
      model: {kind: mlp, shortcut: pad, hidden: [3], classes: 12, weights: 'w.safetensors'}
      training: {epochs: 2, max_steps: 3, batch_size: 64, shards: auto, threads: 2, label_smoothing: 0.1,
        gradient_reduction: float32, non_finite: rollback, seed: 9007199254740992}
      optimizer: {kind: sgd, learning_rate: 1e-3, weight_decay: +1.5E-4, decay: matrices, betas: [0, 5.e-1], epsilon: 1e-9,
        momentum: 0, nesterov: false, clip_norm: none}
      schedule: {kind: step, warmup_epochs: 1, milestones: [1, 4], gamma: 0.5}
      icp: {rule: ademamix, steps: 0, step_size: 3, reduction: mean, clamp: pixels, epsilon: 0.1}
      distillation: {taps: [layer1, layer2.0], layer_weights: [1, 0.5], warmup: 1, alpha_min: 0.3, target: batch_frozen,
        normalize: l2}
      checkpoint: {every_steps: 4, every_epochs: none, keep: 1, metric: validation_accuracy}
      logging: {every_steps: 1}
      kernels: {convolution: openblas}
      """)
    var expected = RunConfiguration()
    expected.data.format = .idx
    expected.data.path = "a b/ü"
    expected.data.size = 16
    expected.data.shuffle = false
    expected.data.augment = [.flip]
    expected.data.mean = [0.5]
    expected.data.std = [0.25]
    expected.data.limit = 7
    expected.data.testLimit = 8
    expected.data.validation = .count(500)
    expected.model.kind = .mlp
    expected.model.shortcut = .pad
    expected.model.hidden = [3]
    expected.model.classes = 12
    expected.model.weights = "w.safetensors"
    expected.training.epochs = 2
    expected.training.maxSteps = 3
    expected.training.batchSize = 64
    expected.training.shards = .auto
    expected.training.threads = 2
    expected.training.labelSmoothing = 0.1
    expected.training.gradientReduction = .float32
    expected.training.nonFinite = .rollback
    expected.training.seed = 1 << 53
    expected.optimizer.kind = .sgd
    expected.optimizer.learningRate = 1e-3
    expected.optimizer.weightDecay = 1.5e-4
    expected.optimizer.decay = .matrices
    expected.optimizer.betas = [0, 0.5]
    expected.optimizer.epsilon = 1e-9
    expected.optimizer.momentum = 0
    expected.optimizer.nesterov = false
    expected.optimizer.clipNorm = nil
    expected.schedule.kind = .step
    expected.schedule.warmupEpochs = 1
    expected.schedule.milestones = [1, 4]
    expected.schedule.gamma = 0.5
    expected.icp.rule = .ademamix
    expected.icp.steps = 0
    expected.icp.stepSize = 3
    expected.icp.reduction = .mean
    expected.icp.clamp = .pixels
    expected.icp.epsilon = 0.1
    expected.distillation.taps = ["layer1", "layer2.0"]
    expected.distillation.layerWeights = .list([1, 0.5])
    expected.distillation.warmup = 1
    expected.distillation.alphaMin = 0.3
    expected.distillation.target = .batchFrozen
    expected.distillation.normalize = .l2
    expected.checkpoint.everySteps = 4
    expected.checkpoint.everyEpochs = nil
    expected.checkpoint.keep = 1
    expected.checkpoint.metric = .validationAccuracy
    expected.logging.everySteps = 1
    expected.kernels.convolution = .openblas
    #expect(configuration == expected)
  }

  @Test func `set takes YAML, wins over the file, and its last word counts`() throws {
    let overrides = [
      "icp.steps=1", "data.augment=[flip]", "icp.steps=2", "model.weights=a=b", "optimizer.clip_norm=none",
    ]
    let configuration = try read("icp: {steps: 7}", overrides)
    #expect(configuration.icp.steps == 2)
    #expect(configuration.data.augment == [.flip])
    #expect(configuration.model.weights == "a=b")
    #expect(configuration.optimizer.clipNorm == nil)
  }

  @Test func `a plain none is no path, a quoted one is a path`() throws {
    #expect(try read("model: {weights: none}").model.weights == nil)
    #expect(try read("model: {weights: 'none'}").model.weights == "none")
    #expect(try read("model: {weights: 010}").model.weights == "010")
  }

  @Test func `commands that read no data set do without its path`() throws {
    #expect(throws: ConfigurationError.self) { try read("data: {format: cifar10}") }
    let without = try RunConfiguration(yaml: "data: {format: cifar10}", name: "c", readsData: false)
    #expect(without.data.path == nil)
  }

  @Test(arguments: try! FileManager.default.contentsOfDirectory(atPath: packageRoot.path() + "configs"))
  func `a shipped configuration is valid, says only what differs, and survives being resolved`(name: String)
    throws
  {
    let path = packageRoot.path() + "configs/" + name
    let configuration = try RunConfiguration.load(path: path)
    #expect(try read(configuration.resolvedYAML) == configuration)

    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasPrefix("# ") && text.contains("launch/train"))
    let said = text.split(separator: "\n").count { $0.hasPrefix("  ") }
    // Defaults that depend on a key are compared with what that key alone gives.
    let format = configuration.data.format
    let base = try read("data: {format: \(format.rawValue), path: elsewhere}")
    let differing =
      ConfigurationTable.keys.count { value($0, of: configuration) != value($0, of: base) }
      + (format == .glyphs ? 0 : 1) - (format == .glyphs ? 1 : 0)
    #expect(said == differing)
  }

  private func value(_ key: ConfigurationKey, of configuration: RunConfiguration) -> String {
    let lines = configuration.resolvedYAML.split(separator: "\n")
    let section = lines.firstIndex(of: "\(key.section):")!
    return String(lines[section...].first { $0.hasPrefix("  \(key.name): ") }!)
  }

  @Test(arguments: 0..<500)
  func `a random configuration is the same after being written and read`(seed: Int) throws {
    let configuration = RunConfiguration.random(seed: seed)
    let yaml = configuration.resolvedYAML
    let again = try read(yaml)
    #expect(again == configuration)
    #expect(again.resolvedYAML == yaml)
    #expect(again.identity == configuration.identity)
    #expect(again.differences(from: configuration).isEmpty)
  }

  @Test func `resuming may change when a run stops, saves and reports, and where data lies`() throws {
    let saved = try read("data: {format: cifar10, path: here}")
    let free = [
      "training.max_steps=7", "logging.every_steps=3", "checkpoint.every_steps=2", "checkpoint.keep=9",
      "checkpoint.every_epochs=none", "data.path=there", "data.test_limit=10", "training.shards=auto",
    ]
    let resumed = try read("data: {format: cifar10, path: here}", free)
    #expect(resumed.differences(from: saved) == [])
    #expect(
      resumed.identity == (try read("data: {format: cifar10, path: x}", ["training.shards=auto"])).identity)
  }

  @Test(arguments: ConfigurationTable.keys.map(\.path))
  func `every other key must match on resume and between ranks`(path: String) throws {
    let saved = RunConfiguration()
    let configurations = (0..<40).map { RunConfiguration.random(seed: $0) }
    let key = ConfigurationTable.keys.first { $0.path == path }!
    let other = try #require(configurations.first { value(key, of: $0) != value(key, of: saved) })
    let listed = other.differences(from: saved).contains { $0.key == path }
    let mayDiffer =
      ["training.max_steps", "data.path", "data.test_limit"].contains(path) || path.hasPrefix("checkpoint.")
      || path.hasPrefix("logging.") || (path == "training.shards" && other.training.shards == .auto)
    #expect(listed == !mayDiffer)
    #expect(other.agreement != saved.agreement && other.identity != saved.identity)
  }

  @Test func `a difference names the key and both values`() throws {
    let differences = try read("training: {epochs: 40}").differences(from: RunConfiguration())
    #expect(differences.map(\.description) == ["'training.epochs' is 40, but the run began with 30"])
  }

  @Test func `shards auto become the ranks of the first start`() throws {
    let configuration = try read("training: {shards: auto, batch_size: 2}")
    #expect(try configuration.settlingShards(ranks: 2).training.shards == .count(2))
    #expect(try read("").settlingShards(ranks: 2).training.shards == .count(4))
    let error = #expect(throws: ConfigurationError.self) { try configuration.settlingShards(ranks: 3) }
    #expect(
      error?.description
        == "training.shards: auto: 'training.batch_size' is 2, fewer than the 3 of 'training.shards': a shard needs a sample"
    )
  }

  @Test func `a key's name is its property in camel case`() {
    for section in Mirror(reflecting: RunConfiguration()).children {
      let properties = Mirror(reflecting: section.value).children.map { "\(section.label!).\($0.label!)" }
      let keys = ConfigurationTable.keys.filter { $0.section == section.label! }.map { key in
        let words = key.name.split(separator: "_")
        return "\(key.section)." + words[0]
          + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
      }
      #expect(properties == keys)
    }
    #expect(
      Mirror(reflecting: RunConfiguration()).children.map { $0.label! }
        == ConfigurationTable.sections.map(String.init))
  }

  /// ICP_RECORD=1 writes the tables anew.
  @Test func `docs/CONFIGURATION.md lists these keys with these defaults`() throws {
    let path = packageRoot.path() + "docs/CONFIGURATION.md"
    let document = try String(contentsOfFile: path, encoding: .utf8)
    let (start, end) = ("<!-- keys -->\n", "<!-- end of keys -->")
    let before = try #require(document.range(of: start))
    let after = try #require(document.range(of: end))
    if ProcessInfo.processInfo.environment["ICP_RECORD"] == "1" {
      let recorded = document[..<before.upperBound] + Self.markdown + document[after.lowerBound...]
      try recorded.write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      let found = document[before.upperBound..<after.lowerBound]
      #expect(found == Self.markdown, "run this test with ICP_RECORD=1 and read what changed")
    }
  }

  private static var markdown: String {
    ConfigurationTable.sections.map { section in
      let rows = ConfigurationTable.keys.filter { $0.section == section }.map { key in
        "| `\(key.path)` | \(key.defaultText) | \(key.expected) | \(key.unit) | \(key.meaning) |\n"
      }
      return "### \(section)\n\n| key | default | values | unit | meaning |\n|---|---|---|---|---|\n"
        + rows.joined() + "\n"
    }.joined()
  }
}

extension RunConfiguration {
  /// Any configuration that is valid, from `seed`.
  fileprivate static func random(seed: Int) -> RunConfiguration {
    var stream = RandomStream(seed: seed, purpose: .test)
    func chance() -> Bool { Bool.random(using: &stream) }
    func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &stream) }
    func one<Value: CaseIterable>(_: Value.Type) -> Value { Value.allCases.randomElement(using: &stream)! }
    /// Many magnitudes, all digits.
    func number(below limit: Double = 1e9) -> Double {
      let value = Double.random(in: 0..<1, using: &stream) * pow(10, Double(integer(-30...9)))
      return value < limit ? value : value / 1e10
    }
    func list<Value>(_ sizes: ClosedRange<Int>, _ value: () -> Value) -> [Value] {
      (0..<integer(sizes)).map { _ in value() }
    }
    func text() -> String {
      // Without U+FEFF, which Yams drops where a scalar starts with it.
      let scalars = "abz09 /.-_'\"\\#:,[]{}&*!|>%@`~ü漢\u{2028}\u{FFFF}\u{1F600}e\u{301}?".unicodeScalars
      return String(String.UnicodeScalarView(list(1...12) { scalars.randomElement(using: &stream)! }))
    }

    var result = RunConfiguration()
    result.data.format = one(DataFormat.self)
    result.data.path = result.data.format != .glyphs || chance() ? text() : nil
    result.data.size = chance() ? integer(1...1024) : nil
    result.data.shuffle = chance()
    result.data.augment = chance() ? [.flip, .padCrop] : []
    let channels = integer(1...3)
    result.data.mean = chance() ? list(channels...channels) { number(below: 1) } : nil
    result.data.std = chance() ? list(channels...channels) { 1 - number(below: 1) } : nil
    result.data.limit = chance() ? integer(1...1_000_000_000) : nil
    result.data.testLimit = chance() ? integer(1...1_000_000_000) : nil
    result.data.validation = [.none, .count(integer(1...1000)), .fraction(1 - number(below: 0.99))]
      .randomElement(using: &stream)!
    if case .fraction(1) = result.data.validation { result.data.validation = .none }
    result.model.kind = one(ModelKind.self)
    result.model.shortcut = one(Shortcut.self)
    result.model.hidden = list(1...4) { integer(1...65536) }
    result.model.classes = chance() ? integer(2...65536) : nil
    result.model.weights = chance() ? text() : nil
    result.training.epochs = integer(1...1000)
    result.training.maxSteps = chance() ? integer(1...1_000_000_000) : nil
    result.training.batchSize = integer(64...1_000_000)
    result.training.shards = chance() ? .count(integer(1...64)) : .auto
    result.training.threads = integer(1...1024)
    result.training.labelSmoothing = number(below: 1)
    result.training.gradientReduction = one(GradientReductionKind.self)
    result.training.nonFinite = one(NonFinitePolicy.self)
    result.training.seed = integer(0...(1 << 53))
    result.optimizer.kind = one(OptimizerKind.self)
    result.optimizer.learningRate = number()
    result.optimizer.weightDecay = number()
    result.optimizer.decay = one(DecayScope.self)
    result.optimizer.betas = list(2...2) { number(below: 1) }
    result.optimizer.epsilon = number() + 1e-300
    result.optimizer.momentum = number(below: 0.9) + 1e-3
    result.optimizer.nesterov = chance()
    result.optimizer.clipNorm = chance() ? number() + 1e-300 : nil
    result.schedule.kind = one(ScheduleKind.self)
    result.schedule.warmupEpochs = integer(0...result.training.epochs)
    result.schedule.milestones = Set(list(0...4) { integer(1...100) }).sorted()
    result.schedule.gamma = number() + 1e-300
    result.icp.rule = one(RuleKind.self)
    result.icp.steps = integer(0...1000)
    result.icp.stepSize = number()
    result.icp.reduction = one(LossReduction.self)
    result.icp.clamp = one(ClampKind.self)
    result.icp.epsilon = chance() ? number() + 1e-300 : nil
    result.distillation.taps = chance() ? ["layer1", "layer\(integer(2...9)).0"] : nil
    result.distillation.layerWeights =
      [.uniform, .cosine, .cosineIncreasing, .list(list(1...5) { number() })].randomElement(using: &stream)!
    result.distillation.warmup = number(below: 1)
    result.distillation.alphaMin = number(below: 1)
    result.distillation.target = one(TargetPass.self)
    result.distillation.normalize = one(FeatureNormalization.self)
    result.checkpoint.everySteps = chance() ? integer(1...1_000_000_000) : nil
    result.checkpoint.everyEpochs = chance() ? integer(1...1_000_000_000) : nil
    result.checkpoint.keep = integer(1...100)
    result.checkpoint.metric = result.data.validation == .none || chance() ? .trainLoss : .validationAccuracy
    result.logging.everySteps = integer(1...1000)
    result.kernels.convolution = one(ConvolutionBackend.self)
    return result
  }
}
