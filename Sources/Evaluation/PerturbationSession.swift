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
import Refinement
import Reporting
import Runtime

/// What `icp perturb` does: refines images from a file with a model's weights, and writes the result to another file.
package struct PerturbationSession {
  private let configuration: RunConfiguration
  /// The configuration's file, for messages.
  private let name: String
  private let weights: String
  private let kind: WeightsKind

  package init(configuration: RunConfiguration, name: String, weights: String, kind: WeightsKind = .plain) {
    self.configuration = configuration
    self.name = name
    self.weights = weights
    self.kind = kind
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// `input` holds x (N, C, H, W), float32, normalised, and y (N), int64. `output` receives x refined, `losses` (the
  /// batch mean at x_0 ... x_T), and x1 ... xT where `iterates` is asked for. `pictures`: a folder for PNG pictures of
  /// x_0, x_T and their difference.
  package func run(input: String, output: String, iterates: Bool, pictures: String? = nil) throws {
    let output = try OutputFile(
      output, of: .safetensors, option: "--output",
      keeping: [("the --input", input), ("the configuration", name)]
        + WeightsFile.places(weights).map { ("the --weights", $0) }
        + configuration.modelPlaces)
    let batch = try ImageBatch(path: input)
    let folder = try pictures.map { try RefinementPictures($0, count: batch.labels.count, shape: batch.shape) }
    let file = try WeightsFile(path: weights, kind: kind)
    if let choice = file.choice(by: "--weights-kind") { Fatal.write("icp: \(choice)") }
    try file.preprocessing.check(configuration, path: weights)
    try file.preprocessing.check(
      ImageShape(batch.shape), path: weights,
      of: "x of \(input)")
    let configuration = file.preprocessing.filling(configuration)
    let classes = try configuration.model.classes ?? Self.classes(of: file, in: configuration)
    let network = try configuration.model.network(
      of: batch.shape, classes: classes)
    try checkMemory(network, batch, iterates: iterates)
    let model = ModelState(network, seed: 0)
    try model.load(file.tensors, from: weights)
    try batch.checkLabels(below: classes)

    let normalization = try folder.map { _ in
      try Self.normalization(configuration, channels: batch.shape.channels, for: "--pictures")
    }
    let refiner = try refiner(configuration, model: model, capacity: batch.labels.count)
    let shown = refine(batch, by: refiner)
    let losses = shown.map { Float(refiner.loss(of: $0, labels: batch.labels) / Double(batch.labels.count)) }
    try checkFinite(losses, shown.last!, batch)
    var results = [
      NamedTensor("x", shape: batch.size, floats: batch.channelsFirst(shown.last!)),
      NamedTensor("losses", shape: [shown.count], floats: losses),
    ]
    if iterates {
      for (iteration, x) in shown.enumerated().dropFirst() {
        results.append(NamedTensor("x\(iteration)", shape: batch.size, floats: batch.channelsFirst(x)))
      }
    }
    try output.write(SafetensorsWriter.encode(tensors: results))
    if let folder, let normalization {
      let gain = try folder.write(from: shown.first!, to: shown.last!, normalization)
      Fatal.write(
        "icp: wrote pictures to \(folder.path); differences are shown \(decimal(gain, places: 0)) times as strong as they are"
      )
    }
  }

  /// Throws where this needs more than the host has: an allocation that fails later could not be explained.
  private func checkMemory(_ network: Network, _ batch: ImageBatch, iterates: Bool) throws {
    guard let total = HostMemory.total else { return }
    let layout = ParameterLayout(network)
    // The file's bytes, its values, the images; x_0 ... x_T; what is written, as tensors and as a file; the refined
    // images.
    let copies = 4 + (steps + 1) + 2 * (iterates ? steps + 1 : 1)
    let images = Double(batch.images.count) * 4 * Double(copies)
    // The file's tensors beside the model.
    let needed =
      images + Refiner.stateBytes(configuration.icp.rule, network: network) + 2 * ModelState.bytes(layout)
      + FrozenNetwork.memory(
        network, layout: layout, backend: configuration.kernels.convolution, differentiable: true,
        capacity: batch.labels.count, sizes: [batch.labels.count]
      ).total
    guard needed > Double(total) else { return }
    throw UsageError(
      "\(batch.path): images of \(batch.shape.height) x \(batch.shape.width) need about "
        + "\(Int((needed / 0x1p30).rounded())) GiB in this network, and the host has \(total >> 30); make them smaller"
        + (batch.labels.count > 1 ? ", or fewer" : ""))
  }

  /// Finite weights may still overflow, as may a refinement: what came of that is no result.
  private func checkFinite(_ losses: [Float], _ x: [Float], _ batch: ImageBatch) throws {
    if !losses[0].isFinite {
      throw FileError(
        path: weights, reason: "the loss of \(batch.path) is not finite: they are not usable for these images")
    }
    guard let index = losses.firstIndex(where: { !$0.isFinite }) ?? (x.allSatisfy(\.isFinite) ? nil : steps) else {
      return
    }
    throw PerturbationError(
      description:
        "\(batch.path): after \(counted(index, "step")) of the refinement the images are not finite, or their loss "
        + "is not; lower icp.step_size")
  }

  private func refiner(_ configuration: RunConfiguration, model: ModelState, capacity: Int) throws -> Refiner {
    let icp = configuration.icp
    var normalization: Normalization?
    if icp.clamp == .pixels {
      normalization = try Self.normalization(
        configuration, channels: model.network.image.channels, for: "icp.clamp: pixels")
    }
    let network = FrozenNetwork(
      model.network, layout: model.layout, backend: configuration.kernels.convolution, differentiable: true,
      capacity: capacity, scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    return Refiner(icp, network: network, normalization: normalization, capacity: capacity)
  }

  private static func normalization(
    _ configuration: RunConfiguration, channels: Int, for what: String
  ) throws -> Normalization {
    guard let mean = configuration.data.mean, let std = configuration.data.std else {
      throw UsageError(
        "\(what) needs data.mean and data.std here, since these weights do not tell theirs and perturb reads no "
          + "data set")
    }
    guard mean.count == channels else {
      throw UsageError(
        "data.mean and data.std have \(counted(mean.count, "entry")), expected \(channels), one a channel of x")
    }
    return Normalization(mean: mean, std: std)
  }

  private var steps: Int { configuration.icp.refinementSteps }

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

  /// Outputs of the network that the weights are for: those of the configuration's file, or as many as the last dense
  /// layer of a network in code has rows.
  static func classes(of weights: WeightsFile, in configuration: RunConfiguration) throws -> Int {
    guard configuration.model.kind == .onnx, let path = configuration.model.path else {
      return try classes(of: weights.tensors, path: weights.path)
    }
    // A new head has as many as the run's data.
    switch configuration.model.head == .new ? weights.preprocessing.classes : nil {
    case .count(let count)?: return count
    case .chosen(let labels)?: return labels.count
    case nil: return try GraphFile(path: path).network.classes
    }
  }

  /// The rows of the last dense layer.
  package static func classes(of tensors: [NamedTensor], path: String) throws -> Int {
    let dense = tensors.filter { $0.name.hasPrefix("fc") && $0.shape.count == 2 }
    guard let last = dense.max(by: { ($0.name.count, $0.name) < ($1.name.count, $1.name) }) else {
      throw FileError(path: path, reason: "there is no dense layer fc.weight to take the number of classes from")
    }
    // A tensor without elements may have any number of rows; the limit is that of model.classes.
    guard 1...65536 ~= last.shape[0] else {
      throw FileError(
        path: path, reason: "\(quoted(last.name)) has \(counted(last.shape[0], "row")), expected 1 to 65536 classes")
    }
    return last.shape[0]
  }
}
