import Datasets
import Kernels
import Models
import Refinement

/// Everything a run can be told, resolved: every dependent default is filled in, every range and combination checked.
///
/// A property is its key in camel case (`icp.step_size` is `icp.stepSize`); `nil` stands for the key's word (`none`,
/// `all`, `native`, `computed`, `of the data`, `of the model`, `of training.seed`, `of data.size`, `of the files`).
/// Meaning, unit and range of each: ConfigurationTable.
package struct RunConfiguration: Sendable, Equatable {
  package var data = DataSection()
  package var model = ModelSection()
  package var training = TrainingSection()
  package var optimizer = OptimizerSection()
  package var schedule = ScheduleSection()
  package var icp = ICPSection()
  package var distillation = DistillationSection()
  package var branches = BranchesSection()
  package var evaluation = EvaluationSection()
  package var checkpoint = CheckpointSection()
  package var agreement = AgreementSection()
  package var watchdog = WatchdogSection()
  package var logging = LoggingSection()
  package var kernels = KernelSection()

  /// The defaults: what an empty file gives.
  package init() {}

  package struct DataSection: Sendable, Equatable {
    package var format = DataFormat.glyphs
    package var path: String?
    package var validationPath: String?
    package var testPath: String?
    package var size: Int?
    package var shuffle = true
    package var augment: [Augmentation] = []
    package var evaluation = EvaluationGroup()
    package var channels: Int?
    package var badFiles = BadFiles.stop
    package var cache: String?
    package var decoderThreads = 1
    package var mean: [Double]?
    package var std: [Double]?
    package var limit: Int?
    package var testLimit: Int?
    package var validation = Validation.none
    package var test: Double?
    package var validationSplit = SplitChoice(.stratified)
    package var classes: [Int]?
    package var samplesPerClass: Int?
    package var subsetSeed: Int?
    package var labelNoise = LabelNoiseGroup()

    package struct EvaluationGroup: Sendable, Equatable {
      package var resize: Int?
      package var crop = EvaluationCrop.center
    }

    package struct LabelNoiseGroup: Sendable, Equatable {
      package var kind = LabelNoiseKind.none
      package var rate: Double?
      package var seed: Int?
      package var file: String?
    }
  }

  package struct ModelSection: Sendable, Equatable {
    package var kind = ModelKind.resnet20
    package var path: String?
    package var initialize = Initialization.file
    package var stem = Stem.imagenet
    package var dropout = 0.0
    package var shortcut = Shortcut.projection
    package var hidden = [256, 256]
    package var classes: Int?
    package var weights: String?
    package var head = ModelHead.keep
    package var weightsKind = WeightsKind.plain
    package var freeze: [String] = []
    package var freezeStatistics = false

    /// The file of the weights to start from, if there is any.
    package var startingWeights: String? { weights ?? (kind == .onnx && initialize == .file ? path : nil) }
  }

  package struct TrainingSection: Sendable, Equatable {
    package var epochs = 30
    package var maxSteps: Int?
    package var batchSize = 128
    package var shards = ShardCount.count(4)
    package var threads = 1
    package var labelSmoothing = 0.0
    package var classWeights = ClassWeights.none
    package var mixup = 0.0
    package var cutmix = 0.0
    package var mixingAfterEpochs = 0
    package var mixingUntil = 1.0
    package var mixingProbability = 1.0
    package var pskd = 0.0
    package var elr = 0.0
    package var elrDecay = 0.7
    package var precision = Precision.float32
    package var gradientReduction = GradientReductionKind.exact
    package var overlap = true
    package var nonFinite = NonFinitePolicy.stop
    package var ema: Double?
    package var patience: Int?
    package var seed = 0
  }

  package struct OptimizerSection: Sendable, Equatable {
    package var kind = OptimizerKind.adamw
    package var learningRate = 1e-3
    package var weightDecay = 0.01
    package var decay = DecayScope.all
    package var betas = [0.9, 0.999]
    package var epsilon = 1e-8
    package var momentum = 0.9
    package var nesterov = false
    package var clipNorm: Double? = 5
    package var multipliers: [String: Double] = [:]
    package var samRho = 0.0
  }

  package struct ScheduleSection: Sendable, Equatable {
    package var kind = ScheduleKind.cosine
    package var minimum = 0.0
    package var warmupEpochs = 0
    package var milestones: [Int] = []
    package var gamma = 0.1
    package var rise = 0.3
    package var start = 0.04
    package var patience = 10
    package var metric = PlateauMetric.validationLoss
  }

  package struct ICPSection: Sendable, Equatable {
    package var rule = RuleKind.adam
    package var objective = RefinementObjective.distillation
    package var steps = 5
    package var stepSize = 2e-3
    package var precision = Precision.float32
    package var reduction = LossReduction.sum
    package var clamp = ClampKind.none
    package var epsilon: Double?
    package var preset = ICPPreset.none
    package var strayGradient = false
    package var fraction = 1.0
    package var select = PartSelection.chance
    package var reuseStudent = false
    package var label = RefinementLabel.given
    package var fade: Double?
    package var layer: String?
  }

  package struct DistillationSection: Sendable, Equatable {
    package var taps: [String]?
    package var layerWeights = LayerWeights.uniform
    package var warmup = 0.25
    package var alphaMin = 0.0
    package var target = TargetPass.batch
    package var teacher = TargetTeacher.student
    package var normalize = FeatureNormalization.none
    package var weight = 1.0
    package var ramp = 0.5
    package var temperature = 1.0
    package var features = 1.0
    package var gate: Double?
  }

  package struct BranchesSection: Sendable, Equatable {
    package var taps: [String]?
    package var task = 0.7
    package var distillation = 0.3
    package var temperature = 3.0
    package var features = 0.03
  }

  package struct EvaluationSection: Sendable, Equatable {
    package var everyEpochs: Int? = 1
    package var everySteps: Int?
    package var trainSamples: Int? = 2000
    package var final: [FinalCheck] = []
    package var attackSamples = 1000
    package var cifarC: String?
  }

  package struct CheckpointSection: Sendable, Equatable {
    package var everySteps: Int?
    package var everyEpochs: Int? = 1
    package var keep = 3
    package var metric = CheckpointMetric.trainLoss
  }

  package struct AgreementSection: Sendable, Equatable {
    package var everySteps: Int? = 50
  }

  package struct WatchdogSection: Sendable, Equatable {
    package var seconds: Double?
  }

  package struct LoggingSection: Sendable, Equatable {
    package var everySteps = 10
    package var tensorboard = false
  }

  package struct KernelSection: Sendable, Equatable {
    package var convolution = ConvolutionBackend.onednn
  }
}
