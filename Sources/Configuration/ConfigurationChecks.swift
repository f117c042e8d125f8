import Files
import Kernels
import Runtime

/// What no key can tell alone.
struct ConfigurationCheck: Sendable {
  /// The keys it is about; the error is put where the last of them is given.
  let keys: [String]
  /// What is wrong; nil where nothing is.
  let violation: @Sendable (RunConfiguration) -> String?

  static let all = [
    ConfigurationCheck(keys: ["training.batch_size", "training.shards"]) { configuration in
      guard case .count(let shards) = configuration.training.shards else { return nil }
      return batchViolation(configuration.training.batchSize, shards)
    },
    ConfigurationCheck(keys: ["data.format", "data.path", "data.validation_path", "data.test_path"]) { configuration in
      let data = configuration.data
      let paths = [
        ("data.path", data.path), ("data.validation_path", data.validationPath), ("data.test_path", data.testPath),
      ]
      guard data.format == .glyphs, let given = paths.first(where: { $0.1 != nil }) else { return nil }
      return "'\(given.0)' is given, but 'data.format' is glyphs, which are drawn: "
        + (data.path == nil ? "'data.path' is missing" : "leave one of both out")
    },
    ConfigurationCheck(keys: ["data.cache"]) { configuration in
      guard let cache = configuration.data.cache else { return nil }
      do throws(SaveError) {
        try ShellPath.check(cache, option: "data.cache")
        return nil
      } catch { return error.description }
    },
    ConfigurationCheck(keys: ["model.kind", "model.path"]) { configuration in
      switch (configuration.model.kind == .onnx, configuration.model.path) {
      case (true, nil): "'model.path' is missing: 'model.kind' onnx needs the file of the network"
      case (false, .some):
        "'model.path' is given, but 'model.kind' is \(configuration.model.kind.rawValue): it goes with onnx"
      default: nil
      }
    },
    ConfigurationCheck(keys: ["model.kind", "model.dropout"]) { configuration in
      guard configuration.model.kind == .onnx, configuration.model.dropout > 0 else { return nil }
      return "'model.dropout' is \(configuration.model.dropout), but 'model.kind' is onnx: a file's network is as it is"
    },
    ConfigurationCheck(keys: ["data.mean", "data.std"]) { configuration in
      guard let mean = configuration.data.mean, let std = configuration.data.std, mean.count != std.count
      else { return nil }
      return "'data.mean' has \(mean.count) and 'data.std' \(counted(std.count, "entry")): each needs one a channel"
    },
    ConfigurationCheck(keys: ["data.label_noise.kind", "data.label_noise.rate"]) { configuration in
      let noise = configuration.data.labelNoise
      guard noise.kind.needsRate, noise.rate == nil else { return nil }
      return "'data.label_noise.rate' is missing: 'data.label_noise.kind' \(noise.kind.rawValue) needs it"
    },
    ConfigurationCheck(keys: ["data.label_noise.kind", "data.label_noise.file"]) { configuration in
      let noise = configuration.data.labelNoise
      guard noise.kind == .file, noise.file == nil else { return nil }
      return "'data.label_noise.file' is missing: 'data.label_noise.kind' file needs the labels"
    },
    ConfigurationCheck(keys: ["data.format", "data.label_noise.kind"]) { configuration in
      guard configuration.data.labelNoise.kind == .asymmetric,
        ![.cifar10, .cifar100].contains(configuration.data.format)
      else { return nil }
      return "'data.label_noise.kind' is asymmetric, but 'data.format' is \(configuration.data.format.rawValue): "
        + "which classes are alike is known of cifar10 and cifar100"
    },
    ConfigurationCheck(keys: ["data.classes", "data.label_noise.kind"]) { configuration in
      let kind = configuration.data.labelNoise.kind
      guard configuration.data.classes != nil, kind == .asymmetric || kind == .file else { return nil }
      return "'data.label_noise.kind' \(kind.rawValue) may give labels of classes that 'data.classes' leaves out"
    },
    ConfigurationCheck(keys: ["checkpoint.metric", "data.validation"]) { configuration in
      let metric = configuration.checkpoint.metric
      guard metric != .trainLoss, !configuration.mayHaveValidation else { return nil }
      return
        "'checkpoint.metric' is \(metric.rawValue), but 'data.validation' is 0: there is no validation split"
    },
    ConfigurationCheck(keys: ["checkpoint.metric", "training.ema"]) { configuration in
      guard configuration.checkpoint.metric == .validationAccuracyEMA, configuration.training.ema == nil else {
        return nil
      }
      return
        "'checkpoint.metric' is validation_accuracy_ema, but 'training.ema' is none: there is no average to measure"
    },
    ConfigurationCheck(keys: ["model.freeze", "model.freeze_statistics"]) { configuration in
      guard configuration.model.freezeStatistics, configuration.model.freeze.isEmpty else { return nil }
      return
        "'model.freeze_statistics' is true, but 'model.freeze' is []: it fixes the statistics of layers that are frozen"
    },
    ConfigurationCheck(keys: ["training.patience", "checkpoint.metric"]) { configuration in
      guard configuration.training.patience != nil, configuration.checkpoint.metric == .trainLoss else { return nil }
      return
        "'training.patience' is given, but 'checkpoint.metric' is train_loss: it waits for one of a validation split "
        + "('data.validation')"
    },
    ConfigurationCheck(keys: ["schedule.warmup_epochs", "training.epochs"]) { configuration in
      guard configuration.schedule.warmupEpochs > configuration.training.epochs else { return nil }
      return "'schedule.warmup_epochs' is \(configuration.schedule.warmupEpochs), more than the "
        + "\(configuration.training.epochs) of 'training.epochs'"
    },
    ConfigurationCheck(keys: ["schedule.kind", "schedule.warmup_epochs"]) { configuration in
      guard configuration.schedule.kind == .oneCycle, configuration.schedule.warmupEpochs > 0 else { return nil }
      return "'schedule.warmup_epochs' is \(configuration.schedule.warmupEpochs), but 'schedule.kind' is one_cycle, "
        + "which rises by itself ('schedule.rise')"
    },
    ConfigurationCheck(keys: ["schedule.kind", "schedule.gamma"]) { configuration in
      guard configuration.schedule.kind == .plateau, configuration.schedule.gamma >= 1 else { return nil }
      return
        "'schedule.gamma' is \(configuration.schedule.gamma), but 'schedule.kind' is plateau: the rate drops by it, "
        + "so it is below 1"
    },
    ConfigurationCheck(keys: ["schedule.kind", "data.validation"]) { configuration in
      guard configuration.schedule.kind == .plateau, !configuration.mayHaveValidation else { return nil }
      return "'schedule.kind' is plateau, but 'data.validation' is 0: it watches the validation split"
    },
    ConfigurationCheck(keys: ["schedule.kind", "evaluation.every_epochs"]) { configuration in
      guard configuration.schedule.kind == .plateau, configuration.evaluation.everyEpochs != 1 else { return nil }
      return "'schedule.kind' is plateau, which watches every epoch: set 'evaluation.every_epochs' to 1"
    },
    ConfigurationCheck(keys: ["optimizer.nesterov", "optimizer.momentum"]) { configuration in
      let optimizer = configuration.optimizer
      guard optimizer.kind == .sgd, optimizer.nesterov, optimizer.momentum == 0 else { return nil }
      return "'optimizer.nesterov' is true, but 'optimizer.momentum' is 0: Nesterov's method needs momentum"
    },
    ConfigurationCheck(keys: ["training.mixup", "training.cutmix"]) { configuration in
      guard configuration.training.mixup > 0, configuration.training.cutmix > 0 else { return nil }
      return "'training.mixup' and 'training.cutmix' are on: an image is mixed in one way"
    },
    ConfigurationCheck(keys: ["icp.objective", "training.mixup", "training.cutmix"]) { configuration in
      guard configuration.icp.objective == .mixed, configuration.icp.rule != .none,
        configuration.training.mixup == 0, configuration.training.cutmix == 0
      else { return nil }
      return "'icp.objective' is mixed, but 'training.mixup' and 'training.cutmix' are 0: nothing is mixed"
    },
    ConfigurationCheck(keys: ["icp.objective", "training.mixing_until", "training.mixing_probability"]) {
      configuration in
      let training = configuration.training
      guard configuration.icp.objective == .mixed, configuration.icp.rule != .none,
        training.mixingUntil == 0 || training.mixingProbability == 0
      else { return nil }
      let key = training.mixingUntil == 0 ? "mixing_until" : "mixing_probability"
      return "'icp.objective' is mixed, but 'training.\(key)' is 0: nothing is mixed"
    },
    ConfigurationCheck(keys: ["icp.layer", "icp.objective", "icp.clamp", "icp.stray_gradient"]) { configuration in
      let icp = configuration.icp
      guard let layer = icp.layer, icp.rule != .none else { return nil }
      if icp.objective != .distillation {
        return "'icp.layer' is \(layer), but 'icp.objective' \(icp.objective.rawValue): a layer goes with distillation"
      }
      if icp.clamp != .none { return "'icp.clamp' is pixels, but 'icp.layer' \(layer): its output has none" }
      return icp.strayGradient ? "'icp.stray_gradient' is that of the image, but 'icp.layer' is \(layer)" : nil
    },
    ConfigurationCheck(keys: ["icp.objective", "distillation.weight"]) { configuration in
      guard configuration.icp.objective == .soft, configuration.distillation.weight > 1 else { return nil }
      return
        "'distillation.weight' is \(configuration.distillation.weight), but 'icp.objective' is soft: a share of the label is "
        + "at most 1"
    },
    ConfigurationCheck(keys: ["icp.reuse_student", "icp.objective", "icp.layer", "model.freeze"]) { configuration in
      let icp = configuration.icp
      guard icp.reuseStudent, icp.rule != .none else { return nil }
      if icp.objective == .task || icp.objective == .mixed {
        return
          "'icp.reuse_student' is true, but 'icp.objective' is \(icp.objective.rawValue): the student's pass is not on the "
          + "images that are refined"
      }
      if let layer = icp.layer { return "'icp.reuse_student' is that of the image, but 'icp.layer' is \(layer)" }
      return configuration.model.freeze.isEmpty
        ? nil
        : "'icp.reuse_student' is true, but 'model.freeze' is not []: of frozen layers the student's pass keeps too little"
    },
    ConfigurationCheck(keys: ["icp.select", "icp.objective"]) { configuration in
      let icp = configuration.icp
      guard icp.select != .chance, icp.rule != .none, icp.objective == .task else { return nil }
      return
        "'icp.select' is \(icp.select.rawValue), but 'icp.objective' is task: there is no student's pass to choose by"
    },
    ConfigurationCheck(keys: ["distillation.target", "icp.layer"]) { configuration in
      guard let layer = configuration.icp.layer, configuration.distillation.target == .student,
        configuration.icp.rule != .none
      else { return nil }
      return
        "'distillation.target' is student, but 'icp.layer' is \(layer): the later layers have statistics of their own"
    },
    ConfigurationCheck(keys: ["distillation.teacher", "training.ema", "distillation.target", "icp.layer"]) {
      configuration in
      guard configuration.distillation.teacher == .ema, configuration.icp.rule != .none else { return nil }
      if configuration.training.ema == nil { return "'distillation.teacher' is ema, but 'training.ema' is none" }
      if let layer = configuration.icp.layer { return "'distillation.teacher' is ema, but 'icp.layer' is \(layer)" }
      let target = configuration.distillation.target
      return target == .running || target == .student
        ? "'distillation.teacher' is ema, but 'distillation.target' is \(target.rawValue): it goes by batch statistics"
        : nil
    },
    memory("training.pskd") { $0.training.pskd > 0 },
    memory("training.elr") { $0.training.elr > 0 },
    baseline("training.pskd") { $0.training.pskd > 0 },
    precision("training.precision") { $0.training.precision },
    precision("icp.precision") { $0.icp.precision },
    baseline("optimizer.sam_rho") { $0.optimizer.samRho > 0 },
    baseline("branches.taps") { $0.branches.taps != nil },
  ]

  /// What remembers each image's predictions: of an image by itself, in one pass a step.
  private static func memory(
    _ key: String, _ isOn: @escaping @Sendable (RunConfiguration) -> Bool
  ) -> ConfigurationCheck {
    ConfigurationCheck(keys: [key, "training.mixup", "training.cutmix", "optimizer.sam_rho"]) { configuration in
      guard isOn(configuration) else { return nil }
      let (training, optimizer) = (configuration.training, configuration.optimizer)
      let others = [
        ("training.mixup", training.mixup), ("training.cutmix", training.cutmix),
        ("optimizer.sam_rho", optimizer.samRho),
      ]
      return others.first { $0.1 > 0 }.map {
        "'\(key)' and '\($0.0)' are on: what is remembered of an image is of one pass on it alone"
      }
    }
  }

  private static func precision(
    _ key: String, _ precision: @escaping @Sendable (RunConfiguration) -> Precision
  ) -> ConfigurationCheck {
    ConfigurationCheck(keys: [key, "kernels.convolution"]) { configuration in
      guard precision(configuration) == .bfloat16, configuration.kernels.convolution == .openblas else { return nil }
      return "'\(key)' is bfloat16, but 'kernels.convolution' is openblas: only oneDNN computes in it"
    }
  }

  /// What takes the refinement's place instead of working on it.
  private static func baseline(
    _ key: String, _ isOn: @escaping @Sendable (RunConfiguration) -> Bool
  ) -> ConfigurationCheck {
    ConfigurationCheck(keys: ["icp.rule", key]) { configuration in
      guard isOn(configuration), configuration.icp.rule != .none else { return nil }
      return "'\(key)' is on, and 'icp.rule' is \(configuration.icp.rule.rawValue): it goes with 'icp.rule: none' alone"
    }
  }

  /// Apart, since what `check` names first is what is missing: perturb reads no data set and does without.
  static let dataPath = ConfigurationCheck(keys: ["data.path", "data.format"]) { configuration in
    guard configuration.data.format != .glyphs, configuration.data.path == nil else { return nil }
    return
      "'data.path' is missing: 'data.format' \(configuration.data.format.rawValue) needs the place of its files"
  }

  static func batchViolation(_ batchSize: Int, _ shards: Int) -> String? {
    guard batchSize < shards else { return nil }
    return
      "'training.batch_size' is \(batchSize), fewer than the \(shards) of 'training.shards': a shard needs a sample"
  }
}

extension RunConfiguration {
  /// Images are held out, or the data may have a split of its own, which only its files tell.
  fileprivate var mayHaveValidation: Bool {
    data.validation != .none || [.auto, .images, .npz, .npy].contains(data.format) || data.validationPath != nil
  }

  /// With `training.shards: auto` settled as the ranks of the run's first start.
  package func settlingShards(ranks: Int) throws(ConfigurationError) -> RunConfiguration {
    guard training.shards == .auto else { return self }
    if let violation = ConfigurationCheck.batchViolation(training.batchSize, ranks) {
      throw ConfigurationError(source: "training.shards: auto", line: nil, column: nil, message: violation)
    }
    var settled = self
    settled.training.shards = .count(ranks)
    return settled
  }
}
