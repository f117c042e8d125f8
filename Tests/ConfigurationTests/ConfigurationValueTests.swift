import Configuration
import Datasets
import Formats
import Foundation
import Kernels
import Models
import Refinement
import Testing

private let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

@Suite struct ConfigurationValueTests {
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
        validation_path: none
        test_path: none
        size: native
        shuffle: true
        augment: []
        evaluation:
          resize: of data.size
          crop: center
        channels: of the files
        bad_files: stop
        cache: none
        decoder_threads: 1
        mean: computed
        std: computed
        limit: all
        test_limit: all
        validation: 0
        test: none
        validation_split: stratified
        classes: all
        samples_per_class: all
        subset_seed: of training.seed
        label_noise:
          kind: none
          rate: none
          seed: of training.seed
          file: none

      model:
        kind: resnet20
        path: none
        initialize: file
        stem: imagenet
        dropout: 0
        shortcut: projection
        hidden: [256, 256]
        classes: of the data
        weights: none
        head: keep
        weights_kind: plain
        freeze: []
        freeze_statistics: false

      training:
        epochs: 30
        max_steps: none
        batch_size: 128
        shards: 4
        threads: 1
        label_smoothing: 0
        class_weights: none
        mixup: 0
        cutmix: 0
        mixing_after_epochs: 0
        mixing_until: 1
        mixing_probability: 1
        pskd: 0
        elr: 0
        elr_decay: 0.7
        precision: float32
        gradient_reduction: exact
        overlap: true
        non_finite: stop
        ema: none
        patience: none
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
        multipliers: {}
        sam_rho: 0

      schedule:
        kind: cosine
        minimum: 0
        warmup_epochs: 0
        milestones: []
        gamma: 0.1
        rise: 0.3
        start: 0.04
        patience: 10
        metric: validation_loss

      icp:
        rule: adam
        objective: distillation
        steps: 5
        step_size: 0.002
        precision: float32
        reduction: sum
        clamp: none
        epsilon: none
        preset: none
        stray_gradient: false
        fraction: 1
        select: chance
        reuse_student: false
        label: given
        fade: none
        layer: none

      distillation:
        taps: of the model
        layer_weights: uniform
        warmup: 0.25
        alpha_min: 0
        target: batch
        teacher: student
        normalize: none
        weight: 1
        ramp: 0.5
        temperature: 1
        features: 1
        gate: none

      branches:
        taps: none
        task: 0.7
        distillation: 0.3
        temperature: 3
        features: 0.03

      evaluation:
        every_epochs: 1
        every_steps: none
        train_samples: 2000
        final: []
        attack_samples: 1000
        cifar_c: none

      checkpoint:
        every_steps: none
        every_epochs: 1
        keep: 3
        metric: train_loss

      agreement:
        every_steps: 50

      watchdog:
        seconds: auto

      logging:
        every_steps: 10
        tensorboard: false

      kernels:
        convolution: onednn

      """
    #expect(RunConfiguration().resolvedYAML == expected)
  }

  @Test func `a preset sets keys that nothing else does, and says what departs from it`() throws {
    let published = try read("icp: {preset: published-code}")
    #expect(published.optimizer.learningRate == 3e-4 && published.icp.stepSize == 3e-4)
    #expect(published.icp.reduction == .mean && published.icp.strayGradient)
    #expect(published.presetText == "published-code")
    // In the file, by --set, in either order; and as RUN/config.yaml has it, with every key.
    for given in [
      try read("icp: {preset: published-code, reduction: sum}"),
      try read("icp: {reduction: sum, preset: published-code}"),
      try read("icp: {preset: published-code}", ["icp.reduction=sum"]),
      try read("icp: {reduction: sum}", ["icp.preset=published-code"]),
    ] {
      for read in [given, try read(given.resolvedYAML)] {
        #expect(read.icp.reduction == .sum && read.icp.stepSize == 3e-4)
        #expect(read.presetText == "published-code, but icp.reduction is sum, not mean")
      }
    }
    #expect(try read("icp: {preset: published-code}", ["icp.preset=none"]).icp.stepSize == 2e-3)
    #expect(try read("icp: {steps: 1}").presetText == nil)
  }

  @Test(arguments: ICPPreset.allCases) func `a preset's keys exist, and go together`(preset: ICPPreset) throws {
    let whole = try read("icp: {preset: \(preset.rawValue)}")
    #expect(whole.presetText == (preset == .none ? nil : preset.rawValue))
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
        test_limit: 8, validation: 500, validation_split: end, classes: [2, 0], samples_per_class: 9, subset_seed: 1,
        label_noise: {kind: pair_flip, rate: 0.5, seed: 2, file: noisy.txt}}
      model: {kind: mlp, shortcut: pad, hidden: [3], classes: 12, weights: 'w.safetensors'}
      training: {epochs: 2, max_steps: 3, batch_size: 64, shards: auto, threads: 2, label_smoothing: 0.1,
        precision: auto, gradient_reduction: float32, non_finite: rollback, seed: 9007199254740992}
      optimizer: {kind: sgd, learning_rate: 1e-3, weight_decay: +1.5E-4, decay: matrices, betas: [0, 5.e-1], epsilon: 1e-9,
        momentum: 0, nesterov: false, clip_norm: none}
      schedule: {kind: step, warmup_epochs: 1, milestones: [1, 4], gamma: 0.5}
      icp: {rule: ademamix, steps: 0, step_size: 3, precision: auto, reduction: mean, clamp: pixels, epsilon: 0.1}
      distillation: {taps: [layer1, layer2.0], layer_weights: [1, 0.5], warmup: 1, alpha_min: 0.3, target: batch_frozen,
        normalize: l2}
      evaluation: {train_samples: none, final: [attacks, episodes, corruptions], attack_samples: 9, cifar_c: there}
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
    expected.data.validationSplit = SplitChoice(.end)
    expected.data.classes = [2, 0]
    expected.data.samplesPerClass = 9
    expected.data.subsetSeed = 1
    expected.data.labelNoise.kind = .pairFlip
    expected.data.labelNoise.rate = 0.5
    expected.data.labelNoise.seed = 2
    expected.data.labelNoise.file = "noisy.txt"
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
    expected.training.precision = .auto
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
    expected.icp.precision = .auto
    expected.icp.reduction = .mean
    expected.icp.clamp = .pixels
    expected.icp.epsilon = 0.1
    expected.distillation.taps = ["layer1", "layer2.0"]
    expected.distillation.layerWeights = .list([1, 0.5])
    expected.distillation.warmup = 1
    expected.distillation.alphaMin = 0.3
    expected.distillation.target = .batchFrozen
    expected.distillation.normalize = .l2
    expected.evaluation.trainSamples = nil
    expected.checkpoint.everySteps = 4
    expected.checkpoint.everyEpochs = nil
    expected.checkpoint.keep = 1
    expected.checkpoint.metric = .validationAccuracy
    expected.evaluation.final = [.attacks, .episodes, .corruptions]
    expected.evaluation.attackSamples = 9
    expected.evaluation.cifarC = "there"
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

  @Test(
    arguments: try! FileManager.default.contentsOfDirectory(
      atPath: packageRoot.path(percentEncoded: false) + "configs"
    ).filter { $0.hasSuffix(".yaml") })
  func `a shipped configuration is valid, says only what differs, and survives being resolved`(name: String)
    throws
  {
    let path = packageRoot.path(percentEncoded: false) + "configs/" + name
    let configuration = try RunConfiguration.load(path: path)
    #expect(try read(configuration.resolvedYAML) == configuration)

    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasPrefix("# ") && text.contains("launch/train"))
    let said = text.split(separator: "\n").count { $0.hasPrefix("  ") }
    // Defaults that depend on a key are compared with what that key alone gives.
    let format = configuration.data.format
    let base = try read("data: {format: \(format.rawValue)\(format == .glyphs ? "" : ", path: elsewhere")}")
    let differing =
      ConfigurationTable.keys.count { $0.value(in: configuration) != $0.value(in: base) } + (format == .glyphs ? 0 : 1)
    #expect(said == differing)
  }
}
