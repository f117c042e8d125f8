import Configuration
import Datasets
import Files
import Formats
import Graph
import Kernels
import Loading
import Method
import Models
import Optimization
import Refinement
import Reporting
import Runtime

/// Everything a run is built from, checked before its first step: the configuration turned into data, model and
/// schedules. The same on every rank.
package struct RunPlan: Sendable {
  package let configuration: RunConfiguration
  /// Logical shards of a batch: the unit of execution, whatever the number of ranks.
  package let shards: Int
  package let data: DataSplits
  package let normalization: Normalization
  /// The part of the training set that each epoch's end measures; nil where none is.
  package let trainSample: Dataset?
  /// The share of training labels that are wrong; nil where labels are the files'.
  package let labelNoiseRate: Double?
  /// Of the task loss, one a class; nil where all count alike.
  package let classWeights: [Double]?
  package let network: Network
  /// The network's own part as a checkpoint has it, from which others rebuild it.
  package let networkText: String
  package let taps: [String]
  package let method: MethodPlan
  package let cyclic: CyclicSchedule
  package let learningRate: LearningRateSchedule
  /// The files of `evaluation.cifar_c`.
  package let cifarC: CIFARC?

  /// `resumedShards` is what `training.shards: auto` came to at the run's first start. With `data` no file is read, and
  /// of the keys `data.*` only normalisation, order and augmentation count. `indexes` are of pictures whose place is
  /// listed already.
  /// Throws: ConfigurationError, UsageError, FileError, GraphError, LayerWeightsError.
  package init(
    _ configuration: RunConfiguration, ranks: Int, resumedShards: Int? = nil, data given: DataSplits? = nil,
    indexes: [String: PictureIndex] = [:]
  ) throws {
    try configuration.checkPrecision()
    let configuration = try configuration.settlingShards(ranks: resumedShards ?? ranks)
    self.configuration = configuration
    guard case .count(let shards) = configuration.training.shards else {
      preconditionFailure("settled shards are a count")
    }
    self.shards = shards
    guard ranks <= shards else {
      throw UsageError(
        "\(counted(ranks, "rank")), but training.shards is \(shards): a rank needs a shard at least; "
          + "start at most \(counted(shards, "rank")), or set training.shards (which changes the results)")
    }
    var options = DataOptions(configuration)
    options.indexes = indexes
    data = try given ?? DataSplits.load(options, classLimit: configuration.model.classes)
    guard configuration.schedule.kind != .plateau || data.validation != nil else {
      throw UsageError(
        "schedule.kind: plateau watches the validation split, and these data have none; set data.validation")
    }
    let channels = data.training.shape.channels
    for (key, values) in [("data.mean", configuration.data.mean), ("data.std", configuration.data.std)] {
      guard let values, values.count != channels else { continue }
      throw UsageError("\(key) has \(counted(values.count, "value")), expected \(channels), one a channel of the data")
    }
    let measured = try Normalization.computed(on: data.training)
    normalization = Normalization(
      mean: configuration.data.mean ?? measured.mean, std: configuration.data.std ?? measured.std)
    dataIdentity = Self.identity(of: data, measured)
    earlierDataIdentity = Self.identity(of: data, normalization)
    let training = data.training
    trainSample = configuration.evaluation.trainSamples.map {
      training.sample($0, seed: configuration.training.seed)
    }
    labelNoiseRate =
      configuration.data.labelNoise.kind == .none ? nil : Double(training.wrongLabels) / Double(training.count)
    let shape = data.training.shape
    if configuration.evaluation.cifarC == nil {
      cifarC = nil
    } else {
      let test = try data.testImages
      cifarC = try CIFARC(configuration, like: test, wholeTest: data.wholeTest ?? test)
    }
    let bare = try configuration.model.network(
      of: shape.input, classes: configuration.model.classes ?? data.training.classes
    ).freezing(configuration.model)
    classWeights = try Self.classWeights(configuration.training.classWeights, data.training, classes: bare.classes)
    method = try MethodPlan(
      configuration, network: bare, normalization: normalization, classWeights: classWeights,
      images: data.training.count)
    network = method.network
    try network.checkPrefixes(configuration)
    networkText = JSONText.of(ExportGraph(network))
    taps = configuration.distillation.taps ?? network.defaultTaps
    cyclic = CyclicSchedule(
      epochs: configuration.training.epochs, warmup: configuration.distillation.warmup,
      alphaMinimum: configuration.distillation.alphaMin)
    stepsPerEpoch =
      BatchSchedule(
        samples: data.training.count, batchSize: configuration.training.batchSize, shards: shards
      ).stepsPerEpoch
    learningRate = LearningRateSchedule(configuration, stepsPerEpoch: stepsPerEpoch)
  }

  /// Where batches come from.
  package var batches: BatchSource {
    BatchSource(
      dataset: data.training, normalization: normalization, augmentations: configuration.data.augment,
      seed: configuration.training.seed, shuffle: configuration.data.shuffle,
      batchSize: configuration.training.batchSize, shards: shards, threads: configuration.data.decoderThreads,
      classWeights: classWeights)
  }

  private static func classWeights(
    _ choice: ClassWeights, _ training: Dataset, classes: Int
  ) throws -> [Double]? {
    if case .list(let weights) = choice, weights.count != classes {
      throw UsageError(
        "training.class_weights has \(counted(weights.count, "entry")), expected \(classes), one a class of the network"
      )
    }
    // A network may tell more classes apart than the data have.
    let counts = training.classCounts
    return choice.values(counts: counts + Array(repeating: 0, count: max(0, classes - counts.count)))
  }

  package let stepsPerEpoch: Int
  package var totalSteps: Int { stepsPerEpoch * configuration.training.epochs }

  /// "symmetric, 3602 of 10000 training labels are wrong (36.02 %)"; nil where labels are the files'.
  package var labelNoiseText: String? {
    guard let labelNoiseRate else { return nil }
    return "\(configuration.data.labelNoise.kind.rawValue), \(data.training.wrongLabels) of \(data.training.count) "
      + "training labels are wrong (\(percent(labelNoiseRate)))"
  }

  /// "validation: 5000 images held out, stratified"; nil where none are.
  package var validationText: String? {
    data.validation.map {
      let isHeldOut = configuration.data.validation != .none
      return "validation: \(counted($0.count, "image")) "
        + (isHeldOut ? "held out, \(configuration.data.validationSplit.split.rawValue)" : "of the data's own")
    }
  }

  /// What the training set lacks, of which figures would say nothing; nil where it lacks nothing.
  package var emptyClassesText: String? {
    let empty = data.training.emptyClasses
    guard !empty.isEmpty else { return nil }
    let names = empty.map { configuration.data.classes?[$0] ?? $0 }
    return
      "no training images of \(empty.count == 1 ? "class" : "\(empty.count) of \(data.training.classes) classes:") "
      + Self.runs(names)
  }

  /// "0, 2 to 9, 11", at most ten of them.
  private static func runs(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    let texts = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
    return listed(texts, most: 10)
  }

  /// "7 bad files are left out (data.bad_files: skip)"; nil where none are.
  package var skippedText: String? {
    let skipped = data.training.skippedPictures
    return skipped > 0
      ? "\(counted(skipped, "bad file")) left out (data.bad_files: skip), such as \(data.training.skippedExample)" : nil
  }

  /// The configuration with the numbers that it left to the data: what `config.yaml` and checkpoints hold.
  package var settledConfiguration: RunConfiguration {
    var settled = configuration
    settled.data.mean = normalization.mean
    settled.data.std = normalization.std
    return settled
  }

  /// What checkpoints say of the model's images and classes.
  package var preprocessing: Preprocessing {
    Preprocessing(
      normalization, shape: data.training.shape,
      classes: configuration.data.classes.map { .chosen($0) } ?? .count(network.classes),
      classNames: data.training.classNames)
  }

  /// Tells two data sets to train on apart: sizes, a checksum of the labels, and the pixels' moments.
  package let dataIdentity: String
  /// The same as checkpoints without `preprocessing.mean` have it: with the mean and deviation in use, given or
  /// computed.
  package let earlierDataIdentity: String

  /// Tells what two ranks would measure apart.
  package var measuredData: String { "\(dataIdentity) \(data.test?.count ?? 0) \(cifarC?.identity ?? "")" }

  private static func identity(of data: DataSplits, _ normalization: Normalization) -> String {
    let training = data.training
    // Two bytes a label where there are more than a byte holds.
    let shifts = training.classes > 256 ? [0, 8, 16] : [0]
    let labels = Checksum.crc32(
      (0..<training.count).lazy.flatMap { index in shifts.map { UInt8(truncatingIfNeeded: training.label(index) >> $0) }
      })
    return "\(data.training.count) \(data.validation?.count ?? 0) \(data.training.shape) \(data.training.classes) "
      + "\(Checksum.hexadecimal(labels)) \(normalization.mean) \(normalization.std)"
      + (training.pictureIdentity.map { " files \(Checksum.hexadecimal($0))" } ?? "")
  }
}

extension DataOptions {
  package init(_ configuration: RunConfiguration) {
    let data = configuration.data
    self.init(
      format: data.format, path: data.path, size: data.size, limit: data.limit, testLimit: data.testLimit,
      validation: data.validation, seed: configuration.training.seed)
    validationSplit = data.validationSplit.split
    classes = data.classes
    samplesPerClass = data.samplesPerClass
    validationPath = data.validationPath
    testPath = data.testPath
    testFraction = data.test
    channels = data.channels
    badFiles = data.badFiles
    cache = data.cache
    decoderThreads = data.decoderThreads
    evaluation.resize = data.evaluation.resize
    evaluation.crop = data.evaluation.crop
    keepsWholePictures = data.augment.contains(where: \.needsWholePicture)
    subsetSeed = data.subsetSeed ?? configuration.training.seed
    labelNoise.kind = data.labelNoise.kind
    labelNoise.rate = data.labelNoise.rate ?? 0
    labelNoise.seed = data.labelNoise.seed ?? configuration.training.seed
    labelNoise.path = data.labelNoise.file
  }
}

extension LearningRateSchedule {
  package init(_ configuration: RunConfiguration, stepsPerEpoch: Int) {
    let kind: Kind
    switch configuration.schedule.kind {
    case .constant: kind = .constant
    case .cosine: kind = .cosine
    case .step: kind = .step(milestones: configuration.schedule.milestones, gamma: configuration.schedule.gamma)
    case .oneCycle: kind = .oneCycle(rise: configuration.schedule.rise, start: configuration.schedule.start)
    case .plateau: kind = .plateau(gamma: configuration.schedule.gamma)
    }
    self.init(
      kind: kind, base: configuration.optimizer.learningRate, epochs: configuration.training.epochs,
      stepsPerEpoch: stepsPerEpoch, warmupEpochs: configuration.schedule.warmupEpochs,
      minimum: configuration.schedule.minimum)
  }
}
