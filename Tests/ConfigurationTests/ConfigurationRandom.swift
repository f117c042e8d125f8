import Configuration
import Datasets
import Foundation
import Kernels
import Models
import Refinement

extension RunConfiguration {
  /// Any configuration that is valid, from `seed`.
  static func random(seed: Int) -> RunConfiguration {
    var stream = RandomStream(seed: seed, purpose: .test)
    func chance() -> Bool { Bool.random(using: &stream) }
    func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &stream) }
    func one<Value: CaseIterable>(_: Value.Type) -> Value { Value.allCases.randomElement(using: &stream)! }
    /// Many magnitudes, all digits.
    func number(below limit: Double = 1e9) -> Double {
      let value = Double.random(in: 0..<1, using: &stream) * pow(10, Double(integer(-30...9)))
      // Of float32: a value that it rounds to another is refused where the range ends there.
      return min(Double(Float(value < limit ? value : value / 1e10)), Double(Float(limit).nextDown))
    }
    func fraction() -> Double { min(1 - number(below: 0.99), Double(Float(1).nextDown)) }
    func list<Value>(_ sizes: ClosedRange<Int>, _ value: () -> Value) -> [Value] {
      (0..<integer(sizes)).map { _ in value() }
    }
    func text() -> String {
      // Without U+FEFF, which Yams drops where a scalar starts with it.
      let scalars = "abz09 /.-_'\"\\#:,[]{}&*!|>%@`~ü漢\u{2028}\u{FFFF}\u{1F600}e\u{301}?".unicodeScalars
      let text = String(String.UnicodeScalarView(list(1...12) { scalars.randomElement(using: &stream)! }))
      // A file's name that begins with ~ is refused: a shell would have replaced it.
      return text.hasPrefix("~") ? "a" + text : text
    }

    var result = RunConfiguration()
    // What is recognised depends on the machine.
    result.data.format = DataFormat.allCases.filter { $0 != .auto }.randomElement(using: &stream)!
    let isDrawn = result.data.format == .glyphs
    result.data.path = isDrawn ? nil : text()
    result.data.size = chance() ? integer(1...1024) : nil
    result.data.shuffle = chance()
    result.data.validationPath = chance() && !isDrawn ? text() : nil
    result.data.testPath = chance() && !isDrawn ? text() : nil
    let erasing = Augmentation("random-erasing", ["probability": [number(below: 1)], "scale": [0.1, 0.2]])!
    result.data.augment = chance() ? [.flip, .padCrop] : chance() ? [erasing] : []
    result.data.evaluation.resize = chance() ? integer(1...4096) : nil
    result.data.evaluation.crop = one(EvaluationCrop.self)
    result.data.channels = chance() ? [1, 3].randomElement(using: &stream)! : nil
    result.data.badFiles = one(BadFiles.self)
    result.data.cache = chance() ? text() : nil
    result.data.decoderThreads = integer(1...256)
    result.data.test = chance() ? fraction() : nil
    if result.data.test == 1 { result.data.test = nil }
    let channels = integer(1...3)
    result.data.mean = chance() ? list(channels...channels) { number(below: 1) } : nil
    result.data.std = chance() ? list(channels...channels) { 1 - number(below: 1) } : nil
    result.data.limit = chance() ? integer(1...1_000_000_000) : nil
    result.data.testLimit = chance() ? integer(1...1_000_000_000) : nil
    result.data.validation = [.none, .count(integer(1...1000)), .fraction(fraction())]
      .randomElement(using: &stream)!
    result.data.validationSplit = SplitChoice(one(ValidationSplit.self))
    result.data.classes = chance() ? [integer(3...6), integer(0...2), integer(7...65535)] : nil
    result.data.samplesPerClass = chance() ? integer(1...1000) : nil
    result.data.subsetSeed = chance() ? integer(0...(1 << 53)) : nil
    result.data.labelNoise.kind = one(LabelNoiseKind.self)
    if [.asymmetric, .file].contains(result.data.labelNoise.kind),
      result.data.classes != nil || ![.cifar10, .cifar100].contains(result.data.format)
    {
      result.data.labelNoise.kind = .symmetric
    }
    result.data.labelNoise.rate = result.data.labelNoise.kind.needsRate || chance() ? number(below: 1) : nil
    result.data.labelNoise.seed = chance() ? integer(0...(1 << 53)) : nil
    result.data.labelNoise.file = result.data.labelNoise.kind == .file || chance() ? text() : nil
    result.model.kind = one(ModelKind.self)
    result.model.shortcut = one(Shortcut.self)
    result.model.hidden = list(1...4) { integer(1...65536) }
    result.model.classes = chance() ? integer(2...65536) : nil
    result.model.weights = chance() ? text() : nil
    result.model.path = result.model.kind == .onnx ? text() : nil
    result.model.initialize = one(Initialization.self)
    if result.model.weights != nil { result.model.head = one(ModelHead.self) }
    result.model.weightsKind = one(WeightsKind.self)
    result.model.freeze = chance() ? ["conv1", text()] : []
    result.model.freezeStatistics = !result.model.freeze.isEmpty && chance()
    result.model.stem = one(Stem.self)
    result.model.dropout = result.model.kind == .onnx ? 0 : number(below: 1)
    // Plain training half the time: baselines go with nothing else.
    result.icp.rule = chance() ? .none : one(RuleKind.self)
    result.training.epochs = integer(1...1000)
    result.training.maxSteps = chance() ? integer(1...1_000_000_000) : nil
    result.training.batchSize = integer(64...1_000_000)
    result.training.shards = chance() ? .count(integer(1...64)) : .auto
    result.training.threads = integer(1...1024)
    result.training.labelSmoothing = number(below: 1)
    result.training.classWeights = [.none, .balanced, .list(list(1...5) { number() + 1e-20 })].randomElement(
      using: &stream)!
    // An image is mixed in one way.
    if chance() { result.training.mixup = number() } else { result.training.cutmix = number() }
    result.training.mixingAfterEpochs = integer(0...9)
    (result.training.mixingUntil, result.training.mixingProbability) = (fraction(), fraction())
    result.training.gradientReduction = one(GradientReductionKind.self)
    result.training.nonFinite = one(NonFinitePolicy.self)
    result.training.ema = chance() ? 0.999 : nil
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
    result.optimizer.multipliers = chance() ? ["fc": number() + 1e-20, text(): 0.5] : [:]
    result.optimizer.samRho = result.icp.rule == .none && chance() ? number() : 0
    result.schedule.kind = one(ScheduleKind.self)
    result.schedule.minimum = fraction()
    result.schedule.warmupEpochs = integer(0...result.training.epochs)
    result.schedule.milestones = Set(list(0...4) { integer(1...100) }).sorted()
    result.schedule.gamma = number() + 1e-300
    result.schedule.rise = number(below: 1)
    result.schedule.start = fraction()
    result.schedule.patience = integer(0...100)
    result.schedule.metric = one(PlateauMetric.self)
    result.icp.preset = one(ICPPreset.self)
    result.icp.objective = one(RefinementObjective.self)
    if result.icp.objective == .mixed, result.training.mixup == 0, result.training.cutmix == 0 {
      result.training.mixup = 0.5
    }
    result.icp.strayGradient = chance()
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
    result.branches.taps = result.icp.rule == .none && chance() ? ["layer1"] : nil
    result.distillation.weight = number(below: 1)
    result.distillation.gate = chance() ? number(below: 1) : nil
    result.icp.fraction = number(below: 1)
    result.icp.label = one(RefinementLabel.self)
    result.icp.layer = result.icp.rule == .none && chance() ? "layer\(integer(1...3))" : nil
    result.icp.fade = chance() ? number(below: 0.9) + 0.01 : nil
    let isPlain = result.icp.rule == .none
    result.icp.select = isPlain || result.icp.objective != .task ? one(PartSelection.self) : .chance
    result.icp.reuseStudent = isPlain && chance()
    result.distillation.teacher = isPlain ? one(TargetTeacher.self) : .student
    if isPlain, chance() {
      // What is remembered of images goes with no mixing.
      result.training.mixup = 0
      result.training.cutmix = 0
      result.optimizer.samRho = 0
      result.training.pskd = fraction()
      result.training.elr = number()
    }
    result.training.elrDecay = number(below: 1)
    result.distillation.ramp = number(below: 1)
    result.distillation.temperature = number() + 1e-300
    result.distillation.features = number()
    result.branches.task = number()
    result.branches.distillation = number()
    result.branches.temperature = number() + 1e-300
    result.branches.features = number()
    result.evaluation.trainSamples = chance() ? integer(1...1_000_000_000) : nil
    result.evaluation.everySteps = chance() ? integer(1...1_000_000_000) : nil
    result.checkpoint.everySteps = chance() ? integer(1...1_000_000_000) : nil
    result.checkpoint.everyEpochs = chance() ? integer(1...1_000_000_000) : nil
    result.checkpoint.keep = integer(1...100)
    result.checkpoint.metric = result.data.validation == .none || chance() ? .trainLoss : .validationAccuracy
    result.training.overlap = chance()
    result.training.patience = result.checkpoint.metric != .trainLoss && chance() ? integer(1...100) : nil
    result.evaluation.everyEpochs = chance() ? integer(1...1_000_000_000) : nil
    switch result.schedule.kind {
    case .oneCycle: result.schedule.warmupEpochs = 0
    case .plateau where result.data.validation == .none: result.schedule.kind = .constant
    case .plateau:
      result.schedule.gamma = number(below: 0.9) + 1e-300
      result.evaluation.everyEpochs = 1
    default: break
    }
    result.evaluation.final = [[], [.attacks], [.corruptions, .attacks], [.episodes]].randomElement(using: &stream)!
    result.evaluation.attackSamples = integer(1...1_000_000_000)
    result.evaluation.cifarC = chance() ? text() : nil
    result.agreement.everySteps = chance() ? integer(1...1_000_000_000) : nil
    result.watchdog.seconds = chance() ? number() + 1e-300 : nil
    result.logging.everySteps = integer(1...1000)
    result.logging.tensorboard = chance()
    result.kernels.convolution = one(ConvolutionBackend.self)
    // OpenBLAS knows float32 alone.
    let halves = result.kernels.convolution == .onednn && chance()
    result.training.precision = halves ? .bfloat16 : chance() ? .auto : .float32
    result.icp.precision = halves ? .bfloat16 : chance() ? .auto : .float32
    return result
  }
}
