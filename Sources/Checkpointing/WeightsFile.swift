import Configuration
import Files
import Formats
import Models

/// Weights and running statistics of a file: one of our checkpoints, a PyTorch state_dict saved as safetensors, in
/// one file or in several under an index, or an ONNX file.
package struct WeightsFile: Sendable {
  package let path: String
  /// All tensors but the optimiser's and PyTorch's counters, in the file's order, under the names of the bare model.
  package let tensors: [NamedTensor]
  package let preprocessing: Preprocessing
  /// What the run that made them was told; nil where the file does not say, or not so that it can be read.
  package let madeBy: RunConfiguration?
  /// Which of the weights these are.
  package let kind: WeightsKind
  /// Whether the file has an average of its weights beside them.
  package let hasAverage: Bool

  /// Checksums are checked where the file has them. Throws where it has no average and `kind` asks for one.
  package init(path: String, kind: WeightsKind = .plain) throws(FileError) {
    self.path = path
    self.kind = kind
    let noAverage = FileError(
      path: path,
      reason: "there is no average of the weights in it (no ema.*): expected a checkpoint of a run with training.ema")
    if path.hasSuffix(".onnx") {
      guard kind == .plain else { throw noAverage }
      hasAverage = false
      let file = try GraphFile(path: path)
      tensors = file.tensors
      preprocessing = try Preprocessing(file)
      madeBy = nil
      return
    }
    let (all, metadata) = try Self.read(path)
    let averages = WeightNames.averages(among: all.map(\.name))
    hasAverage = !averages.isEmpty
    guard hasAverage || kind == .plain else { throw noAverage }
    let chosen = all.filter { averages.contains($0.name) == (kind == .ema) }
    let bare = WeightNames.bare(chosen.map { kind == .ema ? WeightNames.ofAverage($0.name) : $0.name })
    var origins: [String: String] = [:]
    var tensors: [NamedTensor] = []
    for (tensor, short) in zip(chosen, bare) {
      if let other = origins.updateValue(tensor.name, forKey: short) {
        throw FileError(
          path: path,
          reason:
            "\(quoted(other)) and \(quoted(tensor.name)) are both \(quoted(short)) without the names of wrappers; "
            + "save one model's state_dict alone")
      }
      tensors.append(tensor.renamed(short))
    }
    self.tensors = tensors
    preprocessing = try Preprocessing(metadata: metadata, path: path)
    madeBy = metadata["config"].flatMap { try? RunConfiguration(yaml: $0, name: path, readsData: false) }
  }

  /// What a safetensors file, or those that an index names, hold.
  private static func read(_ path: String) throws(FileError) -> (tensors: [NamedTensor], metadata: [String: String]) {
    guard SafetensorsIndex.isIndex(path) else {
      let file = try SafetensorsFile(path: path)
      return (try tensors(of: file) { _ in true }, file.metadata)
    }
    var all: [NamedTensor] = []
    var metadata: [String: String] = [:]
    for part in try SafetensorsIndex(path: path).parts {
      let file = try Self.part(part.path, of: path)
      for name in part.names.sorted() where file[name] == nil {
        throw FileError(path: part.path, reason: "there is no tensor \(quoted(name)), which \(path) says is here")
      }
      all += try tensors(of: file, where: part.names.contains)
      metadata.merge(file.metadata) { first, _ in first }
    }
    return (all, metadata)
  }

  private static func part(_ part: String, of index: String) throws(FileError) -> SafetensorsFile {
    do { return try SafetensorsFile(path: part) } catch {
      throw FileError(path: part, reason: "\(error.reason); it is a part of the model in \(index)")
    }
  }

  private static func tensors(
    of file: SafetensorsFile, where isWanted: (String) -> Bool
  ) throws(FileError) -> [NamedTensor] {
    if CheckpointFormat.hasChecksums(file) { try CheckpointFormat.verify(file) }
    var tensors: [NamedTensor] = []
    for name in file.tensors.map(\.name) where isWanted(name) && !WeightNames.isPassedOver(name) {
      tensors.append(try file.tensor(name))
    }
    return tensors
  }

  /// The files that hold these weights: `path`, and what it names as an index.
  package static func places(_ path: String) -> [String] {
    guard SafetensorsIndex.isIndex(path), let index = try? SafetensorsIndex(path: path) else { return [path] }
    return [path] + index.parts.map(\.path)
  }

  /// What a user has to know of a file that has two kinds of weights; nil where there is no choice. `option`: what
  /// chose.
  package func choice(by option: String) -> String? {
    guard hasAverage else { return nil }
    switch kind {
    case .plain: return "\(path): the weights of its step are taken, not their average (\(option) ema)"
    case .ema: return "\(path): the average of the weights is taken (\(option) ema)"
    }
  }
}

extension RunConfiguration {
  /// The weights that a run of this configuration starts from, and the configuration with what they say of their images
  /// where it leaves that open.
  package func startingPoint() throws(FileError) -> (configuration: RunConfiguration, weights: WeightsFile?) {
    guard let path = model.startingWeights else { return (self, nil) }
    let weights = try WeightsFile(path: path, kind: model.weightsKind)
    return (weights.preprocessing.starting(self), weights)
  }
}
