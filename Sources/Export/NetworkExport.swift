import Checkpointing
import Configuration
import Execution
import Files
import Formats
import Graph
import Kernels
import Models
import Runtime

/// A trained network as an ONNX file, from its checkpoint alone: `icp export`.
package struct NetworkExport {
  /// What the file is for.
  package enum Use: Sendable {
    /// To be run: dropout is left out, batch normalisation is part of the convolutions before it.
    case evaluation
    /// To be trained on: batch normalisation and dropout are as training needs them.
    case training
  }

  package let network: Network
  private let weights: WeightsFile
  private let model: ModelState
  private let configuration: RunConfiguration

  /// What a user has to know of a file with two kinds of weights (`WeightsFile.choice`).
  package var choice: String? { weights.choice(by: "--weights-kind") }

  /// Throws: a FileError of a file that does not say which network its weights are of, or on which images, or has no
  /// average where `kind` asks for one.
  package init(weights path: String, kind: WeightsKind = .plain) throws {
    weights = try WeightsFile(path: path, kind: kind)
    guard let configuration = weights.madeBy else {
      throw FileError(
        path: path,
        reason: "does not say which network its weights are of (no config in its metadata); name a run's checkpoint")
    }
    self.configuration = configuration
    let preprocessing = weights.preprocessing
    guard let size = preprocessing.size, let channels = preprocessing.channels, let classes = preprocessing.classes
    else {
      throw FileError(
        path: path,
        reason: "does not say which images it takes (no preprocessing.size, .channels and .classes in its metadata)")
    }
    let outputs =
      switch classes {
      case .count(let count): configuration.model.classes ?? count
      case .chosen(let labels): configuration.model.classes ?? labels.count
      }
    network = try configuration.model.network(
      of: Shape(batch: 1, height: size.height, width: size.width, channels: channels), classes: outputs)
    model = ModelState(network, seed: 0)
    try model.load(weights.tensors, from: path)
  }

  /// The file's bytes. Throws where they would be more than a protobuf message may have.
  package func onnx(for use: Use) throws(FileError) -> [UInt8] {
    // The graph beside the weights comes to little.
    guard ModelState.bytes(model.layout) < Double(ONNXWriter.byteLimit - 1 << 26) else {
      throw FileError(path: weights.path, reason: "weights of 2 GiB or more do not go into one ONNX file")
    }
    return Self.onnx(model, for: use, metadata: metadata)
  }

  package static func onnx(_ model: ModelState, for use: Use, metadata: [String: String]) -> [UInt8] {
    let layout = model.layout
    let graph: ExportGraph
    let parameters: Tensor
    switch use {
    case .training:
      graph = ExportGraph(model.network)
      parameters = model.parameters
    case .evaluation:
      let evaluated = EvaluationNetwork(model.network)
      graph = ExportGraph(evaluated.network)
      parameters = evaluated.weights(
        layout, parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    }
    var values: [String: [Float]] = [:]
    for entry in layout.parameters { values[entry.name] = Array(parameters.values[entry.range]) }
    for entry in layout.statistics { values[entry.name] = Array(model.statistics.values[entry.range]) }
    return ONNXWriter.encode(
      ONNXModel(graph, weights: values, producer: "icp \(Platform.version)", metadata: metadata))
  }

  private var metadata: [String: String] {
    var metadata = weights.preprocessing.metadata
    let evaluation = configuration.data.evaluation
    metadata["preprocessing.resize"] = evaluation.resize.map { "\($0)" }
    metadata["preprocessing.crop"] = evaluation.crop.rawValue
    if network.image.channels == 3 { metadata["preprocessing.channel_order"] = Preprocessing.channelOrder }
    return metadata
  }

  /// Writes it where `output` says, and returns what it has written, in a line.
  package func write(_ use: Use, to output: OutputFile) throws -> String {
    let bytes = try onnx(for: use)
    try output.write(bytes)
    return "\(output.path): \(weights.path) for \(use), \(model.layout.parameterCount) parameters, images of "
      + "\(network.input), \(counted(network.classes, "class")), \(bytes.count) bytes"
  }
}
