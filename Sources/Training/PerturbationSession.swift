import Formats
import Kernels
import Networks
import Refinement

/// What `icp perturb` does: refines images from a file with a model's weights, and writes the result to another file.
package struct PerturbationSession {
  private let configuration: RunConfiguration
  private let weights: String

  package init(configuration: RunConfiguration, weights: String) {
    (self.configuration, self.weights) = (configuration, weights)
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// `input` holds x (N, C, H, W), float32, normalised, and y (N), int64. `output` receives x refined, `losses` (the batch
  /// mean at x_0 ... x_T), and x1 ... xT where `iterates` is asked for.
  package func run(input: String, output: String, iterates: Bool) throws {
    let batch = try ImageBatch(path: input)
    let tensors = try WeightsFile.read(path: weights)
    let classes = try configuration.model.classes ?? Self.classes(of: tensors, path: weights)
    let model = ModelState(
      .make(
        configuration.model.kind, shortcut: configuration.model.shortcut, hidden: configuration.model.hidden,
        input: batch.shape, classes: classes), seed: 0)
    try model.load(tensors, from: weights)
    try batch.checkLabels(below: classes)

    let refiner = try refiner(model: model, capacity: batch.labels.count)
    let shown = refine(batch, by: refiner)
    var results = [
      NamedTensor("x", shape: batch.size, floats: batch.channelsFirst(shown.last!)),
      NamedTensor(
        "losses", shape: [shown.count],
        floats: shown.map { Float(refiner.loss(of: $0, labels: batch.labels) / Double(batch.labels.count)) }),
    ]
    if iterates {
      for (iteration, x) in shown.enumerated().dropFirst() {
        results.append(NamedTensor("x\(iteration)", shape: batch.size, floats: batch.channelsFirst(x)))
      }
    }
    do throws(SystemError) {
      try AtomicFile(system: System()).replace(
        output, with: SafetensorsWriter.encode(tensors: results), verified: false)
    } catch { throw SaveError(error) }
  }

  private func refiner(model: ModelState, capacity: Int) throws -> Refiner {
    let icp = configuration.icp
    var pixels: [ClosedRange<Float>]?
    if icp.clamp == .pixels {
      guard let mean = configuration.data.mean, let std = configuration.data.std else {
        throw UsageError("icp.clamp: pixels needs data.mean and data.std here, since perturb reads no data set")
      }
      let channels = model.architecture.input.channels
      guard mean.count == channels else {
        throw UsageError(
          "data.mean and data.std have \(mean.count) \(mean.count == 1 ? "entry" : "entries"), "
            + "expected \(channels), one a channel of x")
      }
      pixels = zip(mean, std).map { Float(-$0 / $1)...Float((1 - $0) / $1) }
    }
    let network = FrozenNetwork(
      model.architecture, layout: model.layout, backend: configuration.kernels.convolution, differentiable: true,
      scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    return Refiner(
      network: network, rule: Rule(kind: icp.rule, stepSize: Float(icp.stepSize)),
      bounds: InputBounds(epsilon: icp.epsilon.map { Float($0) }, pixels: pixels), steps: steps, capacity: capacity)
  }

  private var steps: Int { configuration.icp.rule == .none ? 0 : configuration.icp.steps }

  /// x_0 ... x_T, channels last.
  private func refine(_ batch: ImageBatch, by refiner: Refiner) -> [[Float]] {
    var shown = Array(repeating: batch.images, count: steps + 1)
    Array(batch.labels.indices).withUnsafeBufferPointer { samples in
      _ = refiner.refine(
        batch.images, labels: batch.labels, samples: samples.count,
        lossScale: configuration.icp.reduction == .sum ? 1 : 1 / Double(samples.count),
        addresses: .init(seed: configuration.training.seed, epoch: 0, samples: samples)
      ) { iteration, first, x in
        let start = first * batch.shape.sampleCount
        shown[iteration].replaceSubrange(start..<start + x.count, with: x)
      }
    }
    return shown
  }

  /// The rows of the last dense layer.
  private static func classes(of tensors: [NamedTensor], path: String) throws -> Int {
    let dense = tensors.filter { $0.name.hasPrefix("fc") && $0.shape.count == 2 }
    guard let last = dense.max(by: { ($0.name.count, $0.name) < ($1.name.count, $1.name) }) else {
      throw WeightsError(path: path, reason: "there is no dense layer fc.weight to take the number of classes from")
    }
    return last.shape[0]
  }
}

/// A batch of normalised images with labels, from a safetensors file.
struct ImageBatch {
  let path: String
  /// (N, C, H, W), as in the file.
  let size: [Int]
  /// One sample, channels last.
  let shape: Shape
  let images: [Float]
  let labels: [Int32]

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    let values = try file.floats("x")
    let classes = try file.integers("y")
    let size = file["x"]!.shape
    guard size.count == 4, size.allSatisfy({ $0 > 0 }) else {
      throw FormatError(path: path, reason: "x has shape \(size), expected (N, C, H, W), none of them 0")
    }
    guard file["y"]!.shape == [size[0]] else {
      throw FormatError(path: path, reason: "y has shape \(file["y"]!.shape), expected [\(size[0])], a label a sample")
    }
    if let wrong = values.firstIndex(where: { !$0.isFinite }) {
      throw FormatError(path: path, reason: "value \(wrong) of x is \(values[wrong]), expected finite values")
    }
    guard let wrong = classes.firstIndex(where: { $0 < 0 || $0 > Int64(Int32.max) }) else {
      (self.path, self.size) = (path, size)
      shape = Shape(batch: 1, height: size[2], width: size[3], channels: size[1])
      images = Self.permuted(values, shape, toChannelsLast: true)
      labels = classes.map { Int32($0) }
      return
    }
    throw FormatError(path: path, reason: "y[\(wrong)] is \(classes[wrong]), expected a label from 0")
  }

  func checkLabels(below classes: Int) throws(FormatError) {
    guard let wrong = labels.firstIndex(where: { $0 >= classes }) else { return }
    throw FormatError(path: path, reason: "y[\(wrong)] is \(labels[wrong]), but the model has \(classes) classes")
  }

  func channelsFirst(_ values: [Float]) -> [Float] { Self.permuted(values, shape, toChannelsLast: false) }

  private static func permuted(_ values: [Float], _ shape: Shape, toChannelsLast: Bool) -> [Float] {
    let positions = shape.height * shape.width
    var result = [Float](repeating: 0, count: values.count)
    for sample in 0..<values.count / shape.sampleCount {
      let start = sample * shape.sampleCount
      for position in 0..<positions {
        for channel in 0..<shape.channels {
          let last = start + position * shape.channels + channel
          let first = start + channel * positions + position
          if toChannelsLast { result[last] = values[first] } else { result[first] = values[last] }
        }
      }
    }
    return result
  }
}
