import Checkpointing
import Configuration
import Datasets
import Execution
import Files
import Formats
import Graph
import Kernels
import Models
import Planning
import Runtime

/// What weights are measured on: test images, how they become inputs, and the network. The same on every rank.
package struct MeasurementPlan: Sendable {
  let configuration: RunConfiguration
  let test: Dataset
  /// What the outputs are called: by the data, or else by the weights; nil where neither has names.
  let classNames: [String]?
  let normalization: Normalization
  let network: Network
  /// The files of `evaluation.cifar_c`.
  let cifarC: CIFARC?
  /// What the user has to know of the figures; nil where nothing.
  private(set) var warning: String?

  /// Preprocessing is the weights', and no training image is read. Of weights that do not tell theirs, it is the
  /// configuration's; mean and deviation that it does not give are computed on its training set.
  ///
  /// `judgesClasses` false for what reads features alone: which classes the outputs stand for does not count then.
  /// Throws: ConfigurationError, UsageError, FileError, GraphError.
  init(
    _ given: RunConfiguration, weights: WeightsFile, judgesClasses: Bool = true,
    indexes: [String: PictureIndex] = [:]
  ) throws {
    let own = weights.preprocessing
    try own.check(given, path: weights.path, ignoringClasses: !judgesClasses)
    // Training images that a run held out are no part of what it computed mean and deviation on.
    let given = weights.madeBy.map(given.resuming) ?? given
    var configuration = own.filling(given, keepsClasses: !judgesClasses)
    let outputs = try PerturbationSession.classes(of: weights, in: given)
    if !judgesClasses {
      configuration.model.classes = nil
    } else if own.classes != nil, configuration.model.classes == nil {
      // Some of the data's classes, which may be fewer than the outputs.
      configuration.model.classes = outputs
    }
    var options = DataOptions(configuration)
    options.indexes = indexes
    if let mean = configuration.data.mean, let std = configuration.data.std {
      test = try DataSplits.loadTest(options, classLimit: configuration.model.classes)
      // Labels of a test set need not reach the largest class of the training set, where these are all that is known.
      let countsLabels = [.idx, .npz, .npy, .images].contains(configuration.data.format) && test.classNames == nil
      if judgesClasses, countsLabels, configuration.model.classes == nil {
        configuration.model.classes = outputs
        try test.checkLabels(below: outputs, because: "the weights' classes")
      }
      try Self.check(mean, std, channels: test.shape.channels)
      normalization = Normalization(mean: mean, std: std)
    } else {
      let data = try Self.loadAll(options, configuration, weights)
      for (key, values) in [("data.mean", configuration.data.mean), ("data.std", configuration.data.std)] {
        guard let values, values.count != data.training.shape.channels else { continue }
        throw UsageError(
          "\(key) has \(counted(values.count, "value")), expected \(data.training.shape.channels), one a channel of the data"
        )
      }
      test = try data.testImages
      normalization = try Normalization.resolved(
        mean: configuration.data.mean, std: configuration.data.std, on: data.training)
      warning =
        "\(weights.path) does not say how its images were normalised (no preprocessing.mean and .std in its metadata): "
        + "mean \(Preprocessing.text(normalization.mean)) and std \(Preprocessing.text(normalization.std)) were computed on "
        + "the training images that 'data' names, and the figures are right only if it was trained on these; "
        + "else set data.mean and data.std"
    }
    try own.check(test.shape, path: weights.path, of: "the data's")
    if judgesClasses { try own.check(test.classNames, path: weights.path) }
    classNames = test.classNames ?? (judgesClasses ? own.classNames : nil)
    self.configuration = configuration
    cifarC = try CIFARC(configuration, like: test, wholeTest: DataSplits.loadWholeTest(options))
    network = try configuration.model.network(
      of: test.shape.input, classes: judgesClasses ? configuration.model.classes ?? test.classes : outputs)
    try checkMemory()
  }

  /// Of a run, whose network and data are there.
  init(_ plan: RunPlan) throws(FileError) {
    configuration = plan.configuration
    test = try plan.data.testImages
    classNames = test.classNames
    normalization = plan.normalization
    network = plan.network
    cifarC = plan.cifarC
  }

  var backend: ConvolutionBackend { configuration.kernels.convolution }

  /// Tells what two ranks would measure apart.
  var identity: String {
    let labels = Checksum.crc32((0..<test.count).lazy.map { UInt8(truncatingIfNeeded: test.label($0)) })
    return "\(test.count) \(test.shape) \(network.classes) \(Checksum.hexadecimal(labels)) \(normalization.mean) "
      + "\(normalization.std) \(cifarC?.identity ?? "")"
  }

  /// Training images too; where only these are missing, the reason why they are wanted.
  private static func loadAll(
    _ options: DataOptions, _ configuration: RunConfiguration, _ weights: WeightsFile
  ) throws(FileError) -> DataSplits {
    do {
      return try DataSplits.load(options, classLimit: configuration.model.classes)
    } catch {
      guard (try? DataSplits.loadTest(options)) != nil else { throw error }
      throw FileError(
        path: error.path,
        reason:
          "\(error.reason) (\(weights.path) does not say how its images were normalised, so this is computed on the "
          + "training images; with data.mean and data.std the test images suffice)")
    }
  }

  /// Throws where the networks that measure, one of which goes back to the image, need more than this host has.
  func checkMemory() throws {
    let layout = ParameterLayout(network)
    // The file's tensors beside the model.
    let needed =
      2 * ModelState.bytes(layout) + RobustnessEvaluator.bytes(self, [.attacks])
    guard let total = HostMemory.total, needed > Double(total) else { return }
    throw UsageError(
      "this model needs about \(Int((needed / 0x1p30).rounded())) GiB, and the host has \(total >> 30); "
        + "lower data.size or the model's size")
  }

  private static func check(_ mean: [Double], _ std: [Double], channels: Int) throws {
    for (key, values) in [("data.mean", mean), ("data.std", std)] where values.count != channels {
      throw UsageError("\(key) has \(counted(values.count, "value")), expected \(channels), one a channel of the data")
    }
  }
}
